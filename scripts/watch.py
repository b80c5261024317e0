"""Draw the curves of the trainings while they run, on a page of this machine that reloads itself.

A training writes its history after each epoch. The page shows all histories of models in params.yaml, also
those of finished trainings. Ctrl-C ends it.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, params, paths
from cifar10.errors import UserError
from cifar10.report import plots

# isort: split
import pandas as pd

LOCAL = "127.0.0.1"
PORT = 7861
SECONDS = 10  # from one drawing to the next
QUANTITIES: dict[str, Literal["accuracy", "loss"]] = {"/accuracy.svg": "accuracy", "/loss.svg": "loss"}
PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="{seconds}">
<meta name="viewport" content="width=device-width"><title>Trainings</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 1rem auto; padding: 0 1rem }}
img {{ width: 100% }}</style>
<h1>Trainings</h1>
{content}
</html>
"""
FIGURES = "\n".join(f'<img src="{path}" alt="{name} per epoch">' for path, name in QUANTITIES.items())
EMPTY = "<p>No epoch has ended yet: start <code>make repro</code> in another terminal.</p>"


def main() -> None:
    """Serve the page until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=PORT, help="port on this machine (default: %(default)s)")
    port = parser.parse_args().port
    params.load()
    try:
        server = HTTPServer((LOCAL, port), Page)
    except (OSError, OverflowError) as error:
        raise UserError(f"port {port}: {error}: choose another with --port") from None
    with server:
        print(f"curves of the trainings: http://{LOCAL}:{server.server_port}/", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


class Page(BaseHTTPRequestHandler):
    """The page and its figures."""

    def do_GET(self) -> None:
        """Answer with the page or a figure."""
        found = histories()
        if self.path == "/":
            rows = [f"<li>{row}</li>" for row in described(found)]
            content = f"<ul>{''.join(rows)}</ul>\n{FIGURES}" if rows else EMPTY
            self._send("text/html; charset=utf-8", PAGE.format(content=content, seconds=SECONDS).encode())
        elif self.path in QUANTITIES and found:
            self._send("image/svg+xml", drawn(found, QUANTITIES[self.path]))
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no line per request."""

    def _send(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def histories() -> dict[str, list[pd.DataFrame]]:
    """Read the histories of the models and seeds of params.yaml, by model, as far as they exist."""
    chosen, found = params.load(), {}
    for name in chosen.models:
        files = [path for seed in chosen.train.seeds if (path := paths.history(name, seed)).exists()]
        if files:
            found[name] = [pd.read_csv(path) for path in files]
    return found


def described(found: Mapping[str, Sequence[pd.DataFrame]]) -> list[str]:
    """Describe each model in a line: epochs of its trainings, and the last validation accuracies."""
    chosen, rows = params.load(), []
    for name, trainings in found.items():
        epochs = ", ".join(str(len(each)) for each in trainings)
        last = [each["val_accuracy"].iloc[-1] for each in trainings]
        accuracies = ", ".join(f"{100 * value:.1f} %" for value in last if value == value)
        text = f"{name}: {epochs} of {chosen.train_of(name).epochs} epochs"
        rows.append(f"{text}; validation accuracy {accuracies}" if accuracies else text)
    return rows


def drawn(found: Mapping[str, Sequence[pd.DataFrame]], quantity: Literal["accuracy", "loss"]) -> bytes:
    """Draw the curves as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        plots.save(plots.curves(found, quantity), path := Path(folder, "curves.svg"))
        return path.read_bytes()


if __name__ == "__main__":
    errors.run(main)
