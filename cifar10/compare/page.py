"""Write the comparison of two sides as a Markdown page for a pull request. The text is in templates/."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cifar10.compare import diff, paired
from cifar10.compare.diff import ABSENT, Row, Spread
from cifar10.compare.side import Side
from cifar10.evaluation import significance
from cifar10.report.render import FILTERS, templates

TEMPLATES = Path(__file__).parent / "templates"
DASH = "\u2013"
LONGEST = 300  # maximum length of a parameter's value, in characters
Links = Callable[[Side, str], str | None]  # URL of a side's figure by file name; None if it has none


def markdown(
    before: Side, after: Side, links: Links, lacks: int = 0, missing: list[str] | None = None
) -> str:
    """Write the page.

    Args:
        before: the base.
        after: the side that is compared with the base.
        links: returns the URL of a figure.
        lacks: number of commits of `before` that `after` does not contain.
        missing: sentences about missing or damaged data.
    """
    environment = templates(TEMPLATES)  # Markdown: names go through `code`
    environment.filters |= FILTERS | {
        "code": code,
        "value": value,
        "metric": metric,
        "difference": difference,
        "points": lambda share: f"{100 * share:+.2f}",
    }
    context = _context(before, after, links)
    page = environment.get_template("comparison.md.jinja").render(
        before=before, after=after, lacks=lacks, missing=missing or [], level=significance.LEVEL, **context
    )
    return re.sub(r"\n{3,}", "\n\n", page).rstrip() + "\n"


def _context(before: Side, after: Side, links: Links) -> dict[str, Any]:
    tests, untested = paired.paired_tests(before, after)
    names = sorted(before.figures | after.figures)
    drawn = [name for name in names if before.figures.get(name) != after.figures.get(name)]
    rows = diff.metric_rows(before, after)
    kept = [name for name in after.models if name in before.models]
    return {
        "changes": list(diff.changes(before.params, after.params)),
        "rows": rows,
        "same_metrics": [name for name in kept if name not in {row.model for row in rows}],
        "added": [name for name in after.models if name not in before.models],
        "removed": [name for name in before.models if name not in after.models],
        "seed": diff.common_seed(before, after),
        "tests": tests,
        "same": [name for name, reason in untested.items() if reason == paired.SAME_PREDICTIONS],
        "untested": {name: why for name, why in untested.items() if why != paired.SAME_PREDICTIONS},
        "drawn": {name: (links(before, name), links(after, name)) for name in drawn},
        "same_drawn": [name for name in names if name not in drawn],
        "recomputed": diff.recomputed(before, after),
        "stale": [(side, side.stale) for side in (before, after) if side.stale],
    }


def code(text: object) -> str:
    """Write any text as code in a Markdown table: one line, every character literal."""
    line = " ".join(str(text).split()).replace("|", r"\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def value(content: Any) -> str:
    """Format a parameter's value as YAML on one line of at most LONGEST characters; a dash for ABSENT."""
    if content is ABSENT:
        return DASH
    text = yaml.safe_dump(content, default_flow_style=True, width=float("inf"), sort_keys=False)
    text = " ".join(text.removesuffix("...\n").split())
    return code(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def metric(found: Spread | None, share: bool) -> str:
    """Format a metric: a share in percent, others with four decimals, a dash for None."""
    return DASH if found is None else FILTERS["spread"](found, share)


def difference(row: Row) -> str:
    """Format the difference of the means, second side minus first; a share in percentage points."""
    if row.before is None or row.after is None:
        return DASH
    gap = (row.after["mean"] or 0) - (row.before["mean"] or 0)
    if not gap:
        return "0"
    return f"{100 * gap:+.2f} points" if row.share else f"{gap:+.4f}"


def linked(addresses: Mapping[str, str]) -> Links:
    """Return `Links` into folders of figures; `addresses` has the URL of a folder by the side's label."""
    return lambda side, name: (
        f"{addresses[side.label]}/{name}" if side.label in addresses and name in side.figures else None
    )
