"""Differences between two sides: parameters, test metrics, arithmetic."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cifar10.compare.revision_results import RevisionResults

ABSENT = object()  # value of a parameter that only the other side has
Spread = Mapping[str, float | None]  # mean and sd over seeds, as in reports/metrics


class Change(NamedTuple):
    """A parameter that differs; its value is `ABSENT` on a side without it."""

    key: str  # models.model_1.layers[7].Dense.units
    before: Any
    after: Any


class Row(NamedTuple):
    """A test metric of a model on both sides; None on a side without it."""

    model: str
    metric: str
    share: bool  # 0 to 1, shown in percent
    before: Spread | None
    after: Spread | None

    @property
    def gap(self) -> float | None:
        """Difference of the means, second side minus first; None if a side has no value."""
        old, new = (side["mean"] if side else None for side in (self.before, self.after))
        return None if old is None or new is None else new - old


def _of(section: str, key: str) -> Callable[[RevisionResults, str], Spread | None]:
    return lambda side, name: side.metrics[name][section].get(key) if name in side.metrics else None


ACCURACY = "test accuracy"
METRICS: list[tuple[str, bool, Callable[[RevisionResults, str], Spread | None]]] = [
    (ACCURACY, True, _of("test", "accuracy")),
    ("test loss", False, _of("test", "loss")),
    ("macro F1", False, _of("test", "macro_f1")),
    ("calibration error", False, _of("test", "calibration_error")),
    ("OOD detection TPR", True, _of("ood", "tpr")),
]


def changes(before: Any, after: Any, key: str = "") -> Iterator[Change]:
    """Find the differences between two trees of parameters.

    Lists of equal length are compared entry by entry. In lists of different length, the part from the first
    to the last difference is one change.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            inner = f"{key}.{name}" if key else str(name)
            yield from changes(before.get(name, ABSENT), after.get(name, ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, pair in enumerate(zip(before, after, strict=True)):
            yield from changes(*pair, f"{key}[{place}]")
    elif isinstance(before, list) and isinstance(after, list):
        start, end = _common(before, after), _common(before[::-1], after[::-1])
        end = min(end, len(before) - start, len(after) - start)
        yield Change(f"{key}[{start}:]", before[start : len(before) - end], after[start : len(after) - end])
    elif before != after or type(before) is not type(after):
        yield Change(key, before, after)


def _common(first: list[Any], second: list[Any]) -> int:
    """Return the length of the common beginning of two lists."""
    pairs = zip(first, second, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def metric_rows(before: RevisionResults, after: RevisionResults) -> list[Row]:
    """List all test metrics of each model with a metric that differs or is on one side only."""
    models = [*before.models, *(name for name in after.models if name not in before.models)]
    rows = {
        model: [Row(model, name, share, of(before, model), of(after, model)) for name, share, of in METRICS]
        for model in models
    }
    return [row for model in models for row in rows[model] if any(r.before != r.after for r in rows[model])]


def recomputed(before: RevisionResults, after: RevisionResults) -> dict[str, tuple[str, str]]:
    """Find the models whose arithmetic, of training or evaluation, differs between the sides.

    Returns:
        By model, the arithmetic of each side; "unknown" if it is not recorded.
    """
    found = {}
    keys = ("trained_on", "evaluated_on")
    for name in (name for name in after.models if name in before.metrics and name in after.metrics):
        used = [
            [side.metrics[name].get("model", {}).get(key, "unknown") for key in keys]
            for side in (before, after)
        ]
        if used[0] != used[1]:
            first, second = (" / ".join(dict.fromkeys(kinds)) for kinds in used)
            found[name] = (first, second)
    return found
