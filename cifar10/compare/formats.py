"""Format names, parameters and numbers for the Markdown page."""

import re
from typing import Any

from cifar10 import yaml_text
from cifar10.compare.diff import ABSENT, Row, Spread
from cifar10.report.render import FILTERS

DASH = "\u2013"
LONGEST = 300  # maximum length of a parameter's value, in characters


def code(text: object) -> str:
    """Write any text as code in a Markdown table: one line, every character literal."""
    line = " ".join(str(text).split()).replace("|", r"\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def value(content: Any) -> str:
    """Format a parameter's value as YAML on one line of at most LONGEST characters; a dash for ABSENT."""
    if content is ABSENT:
        return DASH
    text = " ".join(yaml_text.dump(content, flow=True).split())
    return code(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def metric(found: Spread | None, share: bool) -> str:
    """Format a metric: a share in percent, others with four decimals, a dash for None."""
    return DASH if found is None else FILTERS["spread"](found, share)


def difference(row: Row) -> str:
    """Format the difference of the means; a share in percentage points."""
    if row.gap is None:
        return DASH
    if not row.gap:
        return "0"
    return f"{points(row.gap)} points" if row.share else f"{row.gap:+.4f}"


def points(share: float) -> str:
    """Format a difference of shares in percentage points, with its sign."""
    return f"{100 * share:+.2f}"


def limits(low: float, high: float, share: bool = True) -> str:
    """Format an interval of a difference; of shares in percentage points."""
    return f"{points(low)} to {points(high)}" if share else f"{low:+.4f} to {high:+.4f}"
