"""The lines at the top of the page: which metrics moved, and whether seeds and test images explain it."""

from collections.abc import Callable

from cifar10.compare import diff
from cifar10.compare.accuracy import Move
from cifar10.compare.changed import Kind
from cifar10.compare.diff import Row
from cifar10.compare.formats import code, difference, points
from cifar10.compare.revision_results import RevisionResults
from cifar10.compare.verdicts import UNKNOWN, Verdicts
from cifar10.evaluation.replicates import Outcome
from cifar10.evaluation.replicates.difference import MARGIN
from cifar10.evaluation.significance import listed


def lines(before: RevisionResults, after: RevisionResults, rows: list[Row], found: Verdicts) -> list[str]:
    """Return Markdown sentences, the most important first.

    Args:
        before: the base.
        after: the side that is compared with the base.
        rows: the metrics that differ.
        found: the verdicts about the models.
    """
    told = _moved(found)
    if found.files:
        few = [side for side in (before, after) if len(side.seeds) == 1]
        where = listed([code(side.label) for side in few])
        told.append(f"**No verdict**, {UNKNOWN} ({where}): {_gaps(rows, [*found.files])}.")
    if found.untested:
        told.append(f"**Not tested**: {_gaps(rows, [*found.untested])}.")
    if not told and not any(row.gap and row.metric == diff.ACCURACY for row in rows):
        told.append("**No test accuracy moved.**")
    if names := found.of(Kind.SEEDS):
        told.append(_only_seeds(before, after, names))
    beyond = [row for row in rows if (row.model, row.metric) in _unexplained(found)]
    if beyond:
        texts = ", ".join(f"{row.metric} of {code(row.model)} {difference(row)}" for row in beyond)
        told.append(f"**More than the spread over seeds explains**, test images not counted: {texts}.")
    return told


def _moved(found: Verdicts) -> list[str]:
    """Group the tested models by outcome."""
    groups: list[tuple[str, tuple[Outcome, ...], Callable[[Move], str]]] = [
        (
            "**More than seeds and test images explain**",
            (Outcome.BETTER, Outcome.PERHAPS),
            lambda move: f" ({move.verdict})",
        ),
        (f"**As good for practical purposes**, within {100 * MARGIN:g} points", (Outcome.EQUAL,), _nothing),
        ("**Not decided**, seeds and test images can explain it", (Outcome.UNDECIDED,), _nothing),
    ]
    told = []
    for title, outcomes, remark in groups:
        texts = [
            f"{code(name)} {points(move.difference)} points{remark(move)}"
            for name, move in found.moves.items()
            if move.outcome in outcomes
        ]
        if texts:
            told.append(f"{title}: test accuracy of {', '.join(texts)}.")
    return told


def _nothing(_: Move) -> str:
    return ""


def _gaps(rows: list[Row], names: list[str]) -> str:
    """Name the difference in test accuracy of each model."""
    gaps = {row.model: difference(row) for row in rows if row.metric == diff.ACCURACY and row.gap is not None}
    texts = [f"{code(name)} {gaps[name]}" if name in gaps else code(name) for name in names]
    return f"test accuracy of {', '.join(texts)}"


def _only_seeds(before: RevisionResults, after: RevisionResults, names: list[str]) -> str:
    old, new = len(before.seeds), len(after.seeds)
    often = "more often" if new > old else "less often" if new < old else "with other seeds"
    counts = f"{_times(new)} instead of {_times(old)}" if new != old else f"{_times(new)} on each side"
    model = "the same model" if len(names) == 1 else "the same models"
    listing = listed([code(name) for name in names])
    return (
        f"**Only the seeds differ** in {listing}: {model}, trained {often} ({counts}). No difference to test."
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _unexplained(found: Verdicts) -> set[tuple[str, str]]:
    return {key for key, limits in found.spreads.items() if not limits.explained}
