"""Real HTTP servers on this machine, each with the fault that a test needs."""

import base64
import contextlib
import math
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Host:
    """Content of a server, the same at every path, and its faults."""

    content: bytes = b""
    status: int = 200
    ranges: bool = True  # False: ignores ranges and sends everything
    at_most: int | None = None  # bytes per answer to a range, fewer than requested
    rate: float | None = None  # bytes per second; None: no limit
    ends_after: int | None = None  # bytes, then closes the connection
    stalls_after: int | None = None  # bytes, then keeps the connection and sends nothing
    silent: bool = False  # accepts the connection and sends nothing, not even headers
    header_rate: float | None = None  # bytes per second of the headers
    chunked: bool = False  # sends no Content-Length
    port: int = 0
    asked: list[str | None] = field(default_factory=list)  # the Range header of each request, in order
    sent: int = 0  # bytes, of all bodies
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/archive.tar.gz"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host: Host

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        wanted = self.headers["Range"]
        self.host.asked.append(wanted)
        if self.host.silent:
            self.host.closing.wait(60)
            return
        if self.host.header_rate:
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.host.closing.wait(1 / self.host.header_rate):
                    return
        if self.host.status != 200:
            self.send_error(self.host.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.host.ranges else 0
        size = len(self.host.content)
        end = min(size, start + self.host.at_most) if start and self.host.at_most else size
        self._headers(start, end)
        self._body(self.host.content[start:end])

    def _headers(self, start: int, end: int) -> None:
        size = len(self.host.content)
        if start and start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
        else:
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
            if self.host.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(end - start))
        self.end_headers()

    def _body(self, content: bytes) -> None:
        step = int(self.host.rate / 50) if self.host.rate else 10_000
        for position in range(0, len(content), step):
            if self.host.ends_after is not None and position >= self.host.ends_after:
                return
            if self.host.stalls_after is not None and position >= self.host.stalls_after:
                self.host.closing.wait(60)
                return
            piece = content[position : position + step]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.host.chunked else piece)
            self.wfile.flush()
            self.host.sent += len(piece)
            if self.host.rate:
                time.sleep(len(piece) / self.host.rate)
        if self.host.chunked:
            self.wfile.write(b"0\r\n\r\n")


class _Server(ThreadingHTTPServer):
    def handle_error(self, *arguments: object) -> None:
        """Ignore clients that hang up."""


@contextlib.contextmanager
def serving(*hosts: Host) -> Iterator[list[str]]:
    """Start the hosts; yield their URLs."""
    servers = []
    for host in hosts:
        server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"host": host}))
        host.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
    try:
        yield [host.url for host in hosts]
    finally:
        for host, server in zip(hosts, servers, strict=True):
            host.closing.set()
            server.shutdown()
            server.server_close()


def closed() -> str:
    """Return a URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/archive.tar.gz"


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """Yield a URL that neither accepts nor refuses connections: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/archive.tar.gz"


class _Files(SimpleHTTPRequestHandler):
    """Serve a folder read-only, with a password if `login` is given."""

    def __init__(self, *arguments: object, login: str | None, **options: object):
        self.login = login
        super().__init__(*arguments, **options)

    def log_message(self, *arguments: object) -> None:
        pass

    def send_head(self):
        expected = f"Basic {base64.b64encode((self.login or '').encode()).decode()}"
        if self.login and self.headers["Authorization"] != expected:
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return None
        return super().send_head()


@contextlib.contextmanager
def folder(root: Path, login: str | None = None) -> Iterator[int]:
    """Serve the files below `root`, to all or to `login` (user:password); yield the port."""
    server = _Server(("127.0.0.1", 0), partial(_Files, directory=str(root), login=login))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class Line:
    """A proxy to a server on this machine that a test can cut, even during a transfer.

    A cut resets open connections; later ones are refused, as if the server had died. `restore` reopens the
    proxy at the same port.
    """

    def __init__(self, server: int):
        self.server = server
        self.port = 0
        self.ends: list[socket.socket] = []
        self.restore()

    def restore(self) -> None:
        self.left = {"up": math.inf, "down": math.inf}  # bytes to the server, bytes from it
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self) -> None:
        for end in (self.listener, *self.ends):
            with contextlib.suppress(OSError):
                if end is not self.listener:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)  # wakes the waiting thread
            end.close()
        self.ends = []

    def cut_after(self, **left: int) -> None:
        """Pass this many more bytes, `up` to the server or `down` from it, then cut."""
        self.left |= left

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server))
                self.ends += [client, server]
                for ends in ((client, server, "up"), (server, client, "down")):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 14):
                self.left[way] -= len(data)
                if self.left[way] < 0:
                    self.cut()
                    return
                target.sendall(data)
                if self.left[way] < math.inf:
                    time.sleep(0.001)  # keeps unread bytes, which count as well, out of buffers
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def line(server: int) -> Iterator[Line]:
    """Start a proxy to the server at a port."""
    laid = Line(server)
    try:
        yield laid
    finally:
        laid.cut()
