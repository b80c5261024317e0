"""What differs between two revisions of this repository: parameters, test figures, right answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from cifar10 import paths
from cifar10.evaluation import metrics, significance

ABSENT = object()  # what a revision has where another has a parameter
SAME_PREDICTIONS = "the same predictions"


@dataclass(frozen=True)
class Side:
    """What git and DVC keep of one revision, or of the workspace.

    `params` is params.yaml, `lock` the stages of dvc.lock; `metrics` and `novelty` hold, by model, what
    `evaluate` wrote. `predictions` has the columns actual and predicted, strings, a row per test image,
    for the models where they were needed and could be had. `figures` are PNG files by name.
    """

    label: str  # as people call it: a branch, a tag, a short hash
    commit: str  # full hash; of the workspace, what it was checked out from
    uncommitted: bool
    params: dict[str, Any]
    lock: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    ood: dict[str, dict[str, Any]]
    figures: dict[str, bytes]
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """The models of params.yaml, in its order."""
        return list(self.params.get("models") or {})

    @property
    def stale(self) -> list[str]:
        """Models whose results, by dvc.lock, are of other parameters than params.yaml has, or of none."""
        return [
            name
            for name in self.models
            for recorded in [self._stage("train", name).get("params", {}).get(str(paths.PARAMS), {})]
            if recorded != {f"models.{name}": self.params["models"][name], "train": self.params.get("train")}
        ]

    def recorded(self, name: str) -> str | None:
        """Hash of a model's predictions in dvc.lock."""
        return self._hash("outs", name, paths.predictions(name).as_posix())

    def test_images(self, name: str) -> str | None:
        """Hash, in dvc.lock, of the test images that a model was measured on."""
        return self._hash("deps", name, paths.images("test").parent.as_posix())

    def _hash(self, kind: str, name: str, path: str) -> str | None:
        entries = self._stage("evaluate", name).get(kind, [])
        return next((entry.get("md5") for entry in entries if entry.get("path") == path), None)

    def _stage(self, stage: str, name: str) -> dict[str, Any]:
        return self.lock.get(f"{stage}@{name}") or {}


class Change(NamedTuple):
    """A parameter that differs; `ABSENT` on the side that does not have it."""

    key: str  # models.model_1.layers[7].Dense.units
    before: Any
    after: Any


class Row(NamedTuple):
    """A test figure of a model on both sides; None where there is none."""

    model: str
    figure: str
    share: bool  # 0 to 1, for people in percent
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Paired:
    """A model of both sides on the same test images.

    `lost` counts the images that only the first side gets right, `gained` those that only the second does;
    the p-value is that of the exact McNemar test, `corrected` that of Holm over all models tested.
    """

    model: str
    lost: int
    gained: int
    images: int
    p_value: float
    corrected: float

    @property
    def difference(self) -> float:
        """By how much the test accuracy is higher on the second side (-1 to 1)."""
        return (self.gained - self.lost) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `difference`."""
        return difference_interval(self.lost, self.gained, self.images)

    @property
    def significant(self) -> bool:
        """Whether the difference is more than chance at significance.LEVEL."""
        return self.corrected < significance.LEVEL


def _novelty(side: Side, name: str) -> float | None:
    """Share of the test images that do not get the answer "none of these"."""
    content = side.ood.get(name)
    return float(content["scores"][content["score"]]["tpr"]) if content else None


def _test(key: str) -> Callable[[Side, str], float | None]:
    return lambda side, name: side.metrics[name]["test"].get(key) if name in side.metrics else None


FIGURES: list[tuple[str, bool, Callable[[Side, str], float | None]]] = [
    ("test accuracy", True, _test("accuracy")),
    ("test loss", False, _test("loss")),
    ("macro F1", False, _test("macro_f1")),
    ("calibration error", False, _test("calibration_error")),
    ("test images accepted", True, _novelty),
]


def changes(before: Any, after: Any, key: str = "") -> Iterator[Change]:
    """Find what differs between two trees of parameters.

    Lists of the same length are compared entry by entry; of others the part from the first to the last
    difference is given as a whole.
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
    """Count the entries that both begin with."""
    pairs = zip(first, second, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def figures(before: Side, after: Side) -> list[Row]:
    """List all test figures of the models of which one differs or is on one side only."""
    models = [*before.models, *(name for name in after.models if name not in before.models)]
    rows = {
        model: [Row(model, name, share, of(before, model), of(after, model)) for name, share, of in FIGURES]
        for model in models
    }
    return [row for model in models for row in rows[model] if any(r.before != r.after for r in rows[model])]


def recomputed(before: Side, after: Side) -> dict[str, tuple[str, str]]:
    """Find the models of both sides that were not trained and evaluated with the same arithmetic.

    Returns:
        By model, what each side was computed on; "unknown" where it does not say.
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


def retrained(before: Side, after: Side) -> list[str]:
    """List the models of both sides whose predictions are not, by dvc.lock, the same bytes."""
    return [
        name
        for name in after.models
        if name in before.metrics
        and name in after.metrics
        and (before.recorded(name) is None or before.recorded(name) != after.recorded(name))
    ]


def tests(before: Side, after: Side) -> tuple[list[Paired], dict[str, str]]:
    """Test, for each model that both sides have, whether the difference in test accuracy is chance.

    A model with the same predictions on both sides is no test and does not count in Holm's correction.

    Returns:
        The tests, and for the other models that both sides have, why there is none.
    """
    counted: dict[str, tuple[int, int, int]] = {}
    untested = {}
    for name in (name for name in after.models if name in before.models):
        reason = _obstacle(before, after, name)
        if reason:
            untested[name] = reason
        else:
            first, second = (_correct(side, name) for side in (before, after))
            counted[name] = (int((first & ~second).sum()), int((second & ~first).sum()), len(first))
    p_values = [significance.mcnemar(lost, gained) for lost, gained, _ in counted.values()]
    outcomes = zip(counted.items(), p_values, significance.holm(p_values), strict=True)
    return [Paired(name, *counts, *values) for (name, counts), *values in outcomes], untested


def _obstacle(before: Side, after: Side, name: str) -> str:
    """Say why a model cannot be tested; "" if it can."""
    sides = (before, after)
    without = [side.label for side in sides if name not in side.metrics]
    if without:
        return f"no metrics in {significance.listed(without)}"
    if name not in retrained(before, after):
        return SAME_PREDICTIONS
    if None not in (images := {side.test_images(name) for side in sides}) and len(images) > 1:
        return "measured on other test images, so that no image pairs with one of the other side"
    without = [side.label for side in sides if name not in side.predictions]
    if without:
        return f"its predictions of {significance.listed(without)} could not be had"
    for side in sides:
        if abs(_correct(side, name).mean() - side.metrics[name]["test"]["accuracy"]) > 1e-9:
            return (
                f"its predictions of {side.label} do not give its test accuracy there: run `dvc checkout` or "
                "`dvc repro`"
            )
    first, second = (side.predictions[name]["actual"].to_numpy() for side in sides)
    if not np.array_equal(first, second):
        return "measured on other test images, so that no image pairs with one of the other side"
    return ""


def _correct(side: Side, name: str) -> np.ndarray:
    """Whether a model gets each test image right: bool (N,)."""
    table = side.predictions[name]
    return (table["actual"] == table["predicted"]).to_numpy()


def difference_interval(lost: int, gained: int, images: int) -> tuple[float, float]:
    """95 % interval of the difference of two shares of the same images (-1 to 1).

    The "Wald+2" interval of A. Agresti and Y. Min, Statistics in Medicine 24, 2005, 729-740: that of the
    normal approximation after half an image is added to each of the four cells of the paired table.

    Args:
        lost: images that only the first gets right.
        gained: images that only the second gets right.
        images: all of them.
    """
    total = images + 2
    centre = (gained - lost) / total
    spread = np.sqrt(lost + gained + 1 - (gained - lost) ** 2 / total) / total
    reach = norm.ppf((1 + metrics.CONFIDENCE) / 2) * spread
    return max(-1.0, float(centre - reach)), min(1.0, float(centre + reach))
