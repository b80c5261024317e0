"""Lets through what the page needs, and nothing else that Gradio would answer to."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cifar10.app.limits import MAX_BYTES

MAX_BODY = 4 * MAX_BYTES // 3 + 10_000  # bytes, of a picture as base64 with what goes with it
FILES = ("/assets/", "/static/", "/gradio_api/heartbeat/")
PATHS = ("/", "/config", "/favicon.ico", "/manifest.json", "/theme.css", "/gradio_api/info")
ASK = "/gradio_api/component_server"
HEADERS = {
    # no script, font, image or connection but from here, whatever Gradio or a file's name may ask for
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; "
    "frame-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'self'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
}


class Guard:
    """Refuses Gradio's uploads, files and proxies, and requests that are too long."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            refused = _refusal(scope)
            app = PlainTextResponse(f"{refused}\n", refused) if refused else self.app
            await app(scope, receive, answer)


def _refusal(scope: Scope) -> int | None:
    """Give the status of the answer to a request that is refused."""
    path, method, headers = scope["path"], scope["method"], dict(scope["headers"])
    if method in ("GET", "HEAD"):
        return None if path in PATHS or path.startswith(FILES) else 404
    if method != "POST" or path.rstrip("/") != ASK:
        return 404
    if headers.get(b"content-type") != b"application/json":
        return 415
    length = headers.get(b"content-length", b"")
    if not length.isdigit():
        return 411
    return 413 if int(length) > MAX_BODY else None
