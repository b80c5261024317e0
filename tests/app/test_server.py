"""Time limits, a reverse proxy in front, and signals."""

import contextlib
import shutil
import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from tests import browser, servers, webapp
from tests.conftest import ENVIRONMENT, WARM
from tests.webapp import BLACK, READY, encoded

SECONDS = 2.5
STRICT = f"""
from cifar10.app import request_limits
request_limits.SECONDS, request_limits.REQUESTS = {SECONDS}, 2
{webapp.RUN}
"""
HOST = "pictures.example.org"


@pytest.fixture(scope="module")
def strict(finished, tmp_path_factory):
    """A server for a proxy, with low limits."""
    options = ["--root-path", "/cifar10", "--allowed-host", HOST]
    start = ["-c", STRICT]
    with webapp.running(finished, tmp_path_factory.mktemp("strict"), *options, start=start) as found:
        found.classify(("a.png", BLACK))  # loads the models
        yield found


@contextlib.contextmanager
def unfinished(app):
    """Send the first half of a request; give the connection and the other half."""
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body += BLACK + b"\r\n--b--\r\n"
    head = (
        "POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", app.port), timeout=30) as client:
        client.sendall(head.encode() + body[:70])
        yield client, body[70:]


def listens(app):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", app.port)) == 0


def test_slow_bodies_end_in_time_and_more_requests_than_fit_are_told_to_wait(strict):
    with unfinished(strict) as (one, _), unfinished(strict) as (other, _):
        servers.wait_for(
            lambda: strict.classify(("a.png", BLACK)).status_code == 503, strict.process, strict.root / "log"
        )
        reply = strict.classify(("a.png", BLACK))
        assert reply.headers["retry-after"] == "2"
        assert reply.json() == {"detail": "the server works on 2 requests already; try again later"}
        assert requests.get(f"{strict.url}healthz", timeout=30).json() == {"status": "ok"}
        for client in (one, other):
            received = client.recv(10_000)
            while not received.endswith(b"}"):
                received += client.recv(10_000)
            assert received.startswith(b"HTTP/1.1 408 ")
            assert f"did not arrive within {SECONDS} s".encode() in received
    assert strict.classify(("a.png", BLACK)).status_code == 200


def test_pictures_that_take_too_long_end_in_time_and_the_server_answers_meanwhile(strict):
    slow = encoded(np.zeros((6000, 6000), np.uint8))
    replies = []
    thread = threading.Thread(target=lambda: replies.append(strict.classify(*[("a.png", slow)] * 150)))
    thread.start()
    delays = []
    while thread.is_alive():
        start = time.monotonic()
        assert requests.get(f"{strict.url}healthz", timeout=30).status_code == 200
        delays.append(time.monotonic() - start)
        thread.join(0.1)
    assert replies[0].status_code == 503
    assert replies[0].json()["detail"].startswith(f"no answer within {SECONDS} s; send fewer pictures")
    assert np.median(delays) < 0.5


NGINX = """
daemon off; pid {root}/pid; error_log stderr; {user}
events {{}}
http {{
  access_log off;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
{server}
}}
"""


@pytest.fixture(scope="module")
def proxy(strict, tmp_path_factory):
    """Port of nginx, set up as docs/app.md shows."""
    nginx = shutil.which("nginx", path=f"{ENVIRONMENT['PATH']}:/usr/sbin")
    if not nginx:
        pytest.skip("no nginx: scripts/install-test-servers")
    root, port = tmp_path_factory.mktemp("nginx"), servers.free_port()
    server = "server {" + Path("docs/app.md").read_text().partition("\nserver {")[2].partition("\n```")[0]
    for old, new in {"listen 80;": f"listen 127.0.0.1:{port};", ":7860/": f":{strict.port}/"}.items():
        assert server.count(old) == 1
        server = server.replace(old, new)
    user = "user root;" if Path.home().owner() == "root" else ""
    (root / "conf").write_text(NGINX.format(root=root, server=server, user=user))
    with servers.running(root / "log", nginx, "-p", root, "-e", "stderr", "-c", root / "conf", ports=[port]):
        yield port


def test_behind_nginx_under_a_path(strict, proxy, chromium):
    url = f"http://127.0.0.1:{proxy}/cifar10/"
    named = requests.get(f"{url}api/models", headers={"host": HOST}, timeout=30)
    assert named.status_code == 200
    assert requests.get(url, headers={"host": "example.org"}, timeout=30).status_code == 400
    assert requests.get(f"{url}openapi.json", timeout=30).json()["servers"] == [{"url": "/cifar10"}]
    large = encoded(np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8))
    files = [("files", ("large.png", large))]
    assert requests.post(f"{url}api/classify", files=files, timeout=30).status_code == 200

    visited = browser.Visit(chromium, url)
    visited.page.get_by_text("3 models: model_0, model_1, model_2").wait_for(timeout=READY)
    visited.page.locator("input[type=file]").set_input_files(
        [{"name": "a.png", "mimeType": "", "buffer": BLACK}]
    )
    visited.page.locator(".answer").wait_for(timeout=READY)
    visited.page.get_by_role("button", name="astronaut").click()
    visited.page.locator(".answer").nth(1).wait_for(timeout=READY)
    visited.page.get_by_role("link", name="Mistakes on test images").click()
    visited.page.get_by_text("test images of zero").wait_for(timeout=READY)
    visited.page.get_by_role("link", name="API").click()
    visited.page.get_by_text("/api/classify").first.wait_for(timeout=READY)
    assert visited.complaints == []
    assert {address.startswith(url) for address in visited.requests if address.startswith("http")} == {True}
    visited.context.close()


def test_a_hang_up_or_sigterm_finishes_what_runs_and_exits_with_0(strict):
    """Last in this file: it ends the server."""
    with unfinished(strict) as (client, rest):
        assert requests.get(f"{strict.url}healthz", timeout=30).status_code == 200
        strict.process.send_signal(signal.SIGHUP)  # which becomes SIGTERM
        while listens(strict):
            time.sleep(0.02)
        client.sendall(rest)
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert strict.process.wait(20) == 0
    assert "Traceback" not in (strict.root / "log").read_text()


def test_a_kill_leaves_no_file_and_the_next_server_takes_the_same_port(finished, tmp_path):
    command = ["python", "-m", "cifar10.app", "--port"]
    with webapp.running(finished, tmp_path) as app:
        with unfinished(app):
            app.process.kill()
            assert app.process.wait(20) == -signal.SIGKILL
            while listens(app):  # a warm server ends after its client
                time.sleep(0.02)
        assert list((tmp_path / "temporary").iterdir()) == []
    again = {"ports": [app.port], "cwd": finished.root, **WARM}
    with servers.running(tmp_path / "again", *command, str(app.port), **again):
        assert requests.get(f"{app.url}healthz", timeout=30).status_code == 200
