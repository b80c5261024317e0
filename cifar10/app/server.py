"""The page and its web server.

Gradio's own upload writes every file to disk, refuses all files when one is too large, and goes by their
names. Here the browser sends one picture after the other inside a request, so that none ever lies on disk and
each gets its own answer.
"""

import base64
import binascii
import socket
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import fastapi
import gradio
import uvicorn

from cifar10.app import cards, examples, provenance
from cifar10.app.guard import Guard
from cifar10.errors import UserError

if TYPE_CHECKING:
    from cifar10.app.asking import Asker

TEMPLATES = Path(__file__).parent / "templates"
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONOSPACE = ("ui-monospace", "Consolas", "Menlo", "monospace")  # names alone: nothing is fetched for them


def serve(asker: "Asker", listener: socket.socket) -> None:
    """Serve the page on a socket that listens, until Ctrl-C."""
    outer = fastapi.FastAPI(openapi_url=None)
    gradio.mount_gradio_app(
        outer,
        page(asker),
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gradio.themes.Default(neutral_hue="slate", font=FONTS, font_mono=MONOSPACE),
    )
    config = uvicorn.Config(Guard(outer), log_level="warning", timeout_graceful_shutdown=2)
    Server(config, outer.routes[-1].app.stop_event).run([listener])  # type: ignore[attr-defined]


def page(asker: "Asker") -> gradio.Blocks:
    """Build the page; its script calls the functions below on the server."""

    def about(_: Any) -> dict[str, str]:
        return _about(asker)

    def answer(sent: Any) -> str:
        try:
            name, content = str(sent["name"]), base64.b64decode(sent["content"], validate=True)
        except (KeyError, TypeError, binascii.Error, ValueError):
            return cards.problem("this is not what the page sends: load it again")
        return _answer(asker, name, content)

    def example(index: Any) -> str:
        chosen = dict(enumerate(examples.find())).get(index)
        if chosen is None:
            return cards.problem("this example is gone: load the page again")
        return _answer(asker, chosen.name, chosen.content)

    with gradio.Blocks(title="Ask the networks", fill_width=True, analytics_enabled=False) as blocks:
        gradio.HTML(
            cards.page(),
            css_template=(TEMPLATES / "app.css").read_text("utf-8"),
            js_on_load=(TEMPLATES / "app.js").read_text("utf-8"),
            apply_default_css=False,
            server_functions=[about, answer, example],
        )
    return blocks


def _about(asker: "Asker") -> dict[str, str]:
    """Say which models there are, and offer examples."""
    names: Sequence[str] = ()
    trouble = None
    try:
        names = [*asker.models().extractors]
    except UserError as error:
        trouble = str(error)
    return {
        "about": cards.about(names, provenance.find(names), trouble),
        "examples": cards.examples(examples.find()),
    }


def _answer(asker: "Asker", name: str, content: bytes) -> str:
    try:
        picture, asked, found = asker.ask(content, name)
    except UserError as error:
        return cards.problem(str(error))
    return cards.answer(name, picture, asked.detectors, found)


class Server(uvicorn.Server):
    """Says where the page is, and on Ctrl-C ends the streams by which open pages hold on to it."""

    def __init__(self, config: uvicorn.Config, streams: Any) -> None:
        super().__init__(config)
        self.streams = streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            print(f"open http://{f'[{host}]' if ':' in host else host}:{port}/ (Ctrl-C ends it)", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop serving."""
        self.streams.set()
        super().handle_exit(sig, frame)
