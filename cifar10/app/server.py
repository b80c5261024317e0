"""Start and stop the web server."""

import socket

import uvicorn
from fastapi import FastAPI

from cifar10.app import request_limits


def serve(app: FastAPI, listener: socket.socket, root_path: str) -> None:
    """Serve on a socket that listens, until SIGTERM or Ctrl-C; requests in progress are finished first.

    Args:
        app: the application.
        listener: the socket.
        root_path: what a reverse proxy removes from the start of each path, such as `/cifar10`.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        root_path=root_path,
        timeout_graceful_shutdown=int(request_limits.SECONDS) + 5,
    )
    Server(config).run([listener])


class Server(uvicorn.Server):
    """A server that prints its address once it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and print the address."""
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            print(f"open http://{f'[{host}]' if ':' in host else host}:{port}/ (Ctrl-C ends it)", flush=True)
