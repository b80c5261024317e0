"""Messages and progress bars on standard error: a bar for a person, a line now and then for a log."""

import io
import sys
from typing import Any

from tqdm import tqdm

LOG_EVERY = 30.0  # seconds


class _Lines(io.TextIOBase):
    """Prints as a line what tqdm would draw over and over in one place."""

    def write(self, text: str) -> int:
        if text.strip():
            log(text.strip())
        return len(text)


def log(message: str) -> None:
    """Print a line on standard error, above any bar."""
    tqdm.write(message, file=sys.stderr)


def bar(**arguments: Any) -> tqdm:
    """Make a tqdm bar from tqdm's own arguments; without a terminal, one line every `LOG_EVERY` seconds."""
    if sys.stderr.isatty():
        return tqdm(leave=False, dynamic_ncols=True, **arguments)
    arguments |= {"delay": LOG_EVERY, "mininterval": LOG_EVERY, "maxinterval": 2 * LOG_EVERY}
    arguments["bar_format"] = "{desc}: {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"
    return tqdm(file=_Lines(), leave=False, **arguments)
