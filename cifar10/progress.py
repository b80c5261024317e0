"""Messages and progress bars on standard error: a bar for a person, a line now and then for a log.

With CIFAR10_PROGRESS=json in the environment, progress is lines of JSON for a program that reads them.
"""

import io
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

VARIABLE, JSON = "CIFAR10_PROGRESS", "json"  # in the environment
LOG_EVERY = 30.0  # seconds
JSON_EVERY = 0.5  # seconds


class _Lines(io.TextIOBase):
    """Prints as a line what tqdm would draw over and over in one place."""

    def write(self, text: str) -> int:
        if text.strip():
            log(text.strip())
        return len(text)


class _Json(tqdm):
    """Writes a line of JSON where tqdm would draw its bar."""

    def __init__(self, **arguments: Any):
        self.figures: dict[str, float] = {}
        super().__init__(**arguments)

    def set_postfix(
        self, ordered_dict: Mapping[str, object] | None = None, refresh: bool | None = True, **figures: Any
    ) -> None:
        """Keep the figures as numbers; tqdm makes one text of them."""
        self.figures = {name: float(value) for name, value in figures.items()}
        super().set_postfix(ordered_dict, refresh, **figures)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002
        """Write the state; tqdm calls this under its lock, and with an empty `msg` to clear the bar."""
        if msg is None:
            state = {key: self.format_dict[key] for key in ("n", "total", "elapsed", "rate")}
            update = {"desc": self.desc.removesuffix(": "), **state, **self.figures}
            sys.stderr.write(json.dumps({"progress": update}) + "\n")
            sys.stderr.flush()


def log(message: str) -> None:
    """Print a line on standard error, above any bar."""
    tqdm.write(message, file=sys.stderr)


def bar(**arguments: Any) -> tqdm:
    """Make a tqdm bar from tqdm's own arguments; without a terminal, one line every `LOG_EVERY` seconds."""
    if os.environ.get(VARIABLE) == JSON:
        return _Json(file=_Lines(), leave=False, mininterval=JSON_EVERY, miniters=1, **arguments)
    if sys.stderr.isatty():
        return tqdm(leave=False, dynamic_ncols=True, **arguments)
    arguments |= {"delay": LOG_EVERY, "mininterval": LOG_EVERY, "maxinterval": 2 * LOG_EVERY}
    arguments["bar_format"] = "{desc}: {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"
    return tqdm(file=_Lines(), leave=False, **arguments)
