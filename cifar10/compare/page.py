"""Write the comparison of two sides as a Markdown page for a pull request. The text is in templates/."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cifar10.compare import changed, diff, formats, summary
from cifar10.compare.changed import Kind
from cifar10.compare.diff import Row
from cifar10.compare.revision_results import RevisionResults
from cifar10.compare.verdicts import Verdicts, verdicts
from cifar10.evaluation import significance
from cifar10.report.render import FILTERS, templates

TEMPLATES = Path(__file__).parent / "templates"
Links = Callable[[RevisionResults, str], str | None]  # URL of a figure by its name, or None


def markdown(
    before: RevisionResults,
    after: RevisionResults,
    links: Links,
    lacks: int = 0,
    missing: list[str] | None = None,
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
        "code": formats.code,
        "value": formats.value,
        "metric": formats.metric,
        "difference": formats.difference,
        "points": formats.points,
    }
    context = _context(before, after, links)
    page = environment.get_template("comparison.md.jinja").render(
        before=before, after=after, lacks=lacks, missing=missing or [], level=significance.LEVEL, **context
    )
    return re.sub(r"\n{3,}", "\n\n", page).rstrip() + "\n"


def _context(before: RevisionResults, after: RevisionResults, links: Links) -> dict[str, Any]:
    found = verdicts(before, after)
    names = sorted(before.figures | after.figures)
    drawn = [name for name in names if before.figures.get(name) != after.figures.get(name)]
    rows = diff.metric_rows(before, after)
    kept = changed.kept(before, after)
    return {
        "changes": list(diff.changes(before.params, after.params)),
        "rows": rows,
        "same_metrics": [name for name in kept if name not in {row.model for row in rows}],
        "added": [name for name in after.models if name not in before.models],
        "removed": [name for name in before.models if name not in after.models],
        "summary": summary.lines(before, after, rows, found),
        "found": found,
        "same": found.of(Kind.SAME),
        "interval": lambda row: _interval(row, found),
        "verdict": lambda row: found.word(row.model, row.metric) or formats.DASH,
        "drawn": {name: (links(before, name), links(after, name)) for name in drawn},
        "same_drawn": [name for name in names if name not in drawn],
        "recomputed": diff.recomputed(before, after),
        "stale": [(side, side.stale) for side in (before, after) if side.stale],
    }


def _interval(row: Row, found: Verdicts) -> str:
    """Format the interval of a difference, a dash if there is none."""
    limits = (
        found.moves.get(row.model)
        if row.metric == diff.ACCURACY
        else found.spreads.get((row.model, row.metric))
    )
    return formats.limits(limits.low, limits.high, row.share) if limits else formats.DASH


def linked(addresses: Mapping[str, str]) -> Links:
    """Return `Links` into folders of figures; `addresses` has the URL of a folder by the side's label."""
    return lambda side, name: (
        f"{addresses[side.label]}/{name}" if side.label in addresses and name in side.figures else None
    )
