"""Messages and progress bars on standard error: a bar on a terminal, a line every 30 s in a log.

With CIFAR10_PROGRESS=json in the environment, progress is written as lines of JSON. The process that reads
them parses a line with `read` and formats it with `drawn`.
"""

import io
import json
import math
import os
import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from cifar10 import files, names

VARIABLE, JSON = "CIFAR10_PROGRESS", "json"  # environment variable and its value
LOG_EVERY = 30.0  # seconds
JSON_EVERY = 0.5  # seconds
COLUMNS = 110  # width of a bar made by `drawn`
IN_A_LOG = "{desc}: {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"


class _Lines(io.TextIOBase):
    """Print each state of a tqdm bar as a new line."""

    def write(self, text: str) -> int:
        if text.strip():
            log(text.strip())
        return len(text)


class _Json(tqdm):
    """Write each state of a tqdm bar as a JSON line."""

    def __init__(self, **arguments: Any):
        self.metrics: dict[str, float] = {}
        super().__init__(**arguments)

    def set_postfix(
        self, ordered_dict: Mapping[str, object] | None = None, refresh: bool | None = True, **metrics: Any
    ) -> None:
        """Store the metrics as numbers; tqdm itself stores them as one text."""
        self.metrics = {name: float(value) for name, value in metrics.items()}
        super().set_postfix(ordered_dict, refresh, **metrics)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002
        """Write the state. tqdm holds its lock here, and passes an empty `msg` to clear the bar."""
        if msg is None:
            state = {key: self.format_dict[key] for key in ("n", "total", "elapsed", "rate")}
            update = {"desc": self.desc.removesuffix(": "), **state, **self.metrics}
            sys.stderr.write(files.json_text({"progress": update}, indent=None) + "\n")
            sys.stderr.flush()


def log(message: str) -> None:
    """Print a line on standard error, above any progress bar; what does not print is escaped."""
    tqdm.write(names.lines(message), file=sys.stderr)


def bar(**arguments: Any) -> tqdm:
    """Make a progress bar from tqdm's arguments; without a terminal, a line every `LOG_EVERY` seconds."""
    if os.environ.get(VARIABLE) == JSON:
        return _Json(file=_Lines(), leave=False, mininterval=JSON_EVERY, miniters=1, **arguments)
    if sys.stderr.isatty():
        return tqdm(leave=False, dynamic_ncols=True, **arguments)
    arguments |= {"delay": LOG_EVERY, "mininterval": LOG_EVERY, "maxinterval": 2 * LOG_EVERY}
    return tqdm(file=_Lines(), leave=False, bar_format=IN_A_LOG, **arguments)


def read(line: str) -> dict[str, Any] | None:
    """Parse a line of JSON progress: desc, n, total, elapsed (s), rate (1/s), metrics; else return None."""
    try:
        update = json.loads(line)["progress"]
        state = {key: update.pop(key) for key in ("desc", "n", "total", "elapsed", "rate")}
        metrics = {name: math.nan if value is None else float(value) for name, value in update.items()}
        return {**state, "metrics": metrics}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def drawn(update: Mapping[str, Any], in_a_log: bool = False) -> str:
    """Format a result of `read` as a bar of at most `COLUMNS` characters, or as a line of a log."""
    state = {key: update[key] for key in ("n", "total", "elapsed", "rate")}
    metrics = ", ".join(f"{name}={value:.4f}" for name, value in update["metrics"].items())
    form: dict[str, Any] = (
        {"bar_format": IN_A_LOG} if in_a_log else {"ncols": COLUMNS, "postfix": metrics or None}
    )
    return tqdm.format_meter(**state, prefix=update["desc"], unit=" steps", **form)
