"""Middleware: allowed hosts, cross-origin requests, HEAD, security headers."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import psutil
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cifar10.app.problems import problem

LOCAL = ("localhost", "127.0.0.1", "[::1]")
ANY = ("0.0.0.0", "::", "::ffff:0.0.0.0")  # noqa: S104  (addresses to compare with)
SAFE = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
}


def stack(hosts: Sequence[str]) -> list[Middleware]:
    """List the middleware, outermost first.

    Args:
        hosts: allowed in the header Host, without a port; `*.example.com` allows all names below it.
    """
    return [
        Middleware(SecurityHeaders),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(SameOrigin),
        Middleware(HeadAsGet),
    ]


def hosts(address: str, more: Sequence[str] = ()) -> list[str]:
    """List the hosts to allow for an address to listen on: its names, and `more`.

    For an address that means all interfaces, the IP addresses of this machine are allowed.
    """
    found = [address]
    if address in ANY:
        every = [entry for entries in psutil.net_if_addrs().values() for entry in entries]
        found = [entry.address for entry in every if entry.family in (socket.AF_INET, socket.AF_INET6)]
    bare = [name.partition("%")[0] for name in found]  # without the interface of a link-local address
    return [*LOCAL, *(f"[{name}]" if ":" in name else name for name in bare), *more]


class SecurityHeaders:
    """Adds headers: a page loads from this server alone, and no other site may embed it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, answer)


class SameOrigin:
    """Refuses what another site's page sends through a visitor's browser.

    A browser says where a request comes from: in Sec-Fetch-Site, or without TLS in Origin alone, which then
    must be the host that the request is for. Other programs send neither.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        app = self.app
        if scope["type"] == "http" and scope["method"] not in SAFE and _cross_origin(Headers(scope=scope)):
            app = problem(403, "the request comes from a page of another origin")
        await app(scope, receive, send)


def _cross_origin(headers: Headers) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:
        return True


class HeadAsGet:
    """Answers HEAD as GET; the server sends no body for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)
