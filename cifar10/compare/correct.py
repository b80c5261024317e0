"""Correct answers of a model on both sides, for the same test images."""

from typing import Any

import numpy as np

from cifar10.compare import changed
from cifar10.compare.revision_results import RevisionResults
from cifar10.evaluation.significance import listed

Array = np.ndarray[Any, Any]
OTHER_IMAGES = "measured on other test images, so that no image pairs with one of the other side"


class UntestableError(Exception):
    """A model cannot be compared; the message is the reason, in words that follow "is not tested:"."""


def correct(before: RevisionResults, after: RevisionResults, name: str) -> tuple[Array, Array]:
    """Tell which test images the trainings of a changed model classify correctly.

    Returns:
        Of each side, bool (S, N): the S trainings that `changed.needed_seeds` names, N test images.

    Raises:
        UntestableError: metrics or predictions are missing, inconsistent or of other test images.
    """
    sides = (before, after)
    without = [side.label for side in sides if name not in side.metrics or not side.seeds]
    if without:
        raise UntestableError(f"no metrics in {listed(without)}")
    if changed.other_images(before, after, name):
        raise UntestableError(OTHER_IMAGES)
    needed = changed.needed_seeds(before, after, name)
    missing = [
        f"{side.label} ({_seeds(lacking)})"
        for side, seeds in zip(sides, needed, strict=True)
        if (lacking := [seed for seed in seeds if seed not in side.predictions.get(name, {})])
    ]
    if missing:
        raise UntestableError(f"its predictions in {listed(missing)} are not available")
    actual = before.predictions[name][needed[0][0]]["actual"].to_numpy()
    first, second = (_of(side, name, seeds, actual) for side, seeds in zip(sides, needed, strict=True))
    return first, second


def _of(side: RevisionResults, name: str, seeds: list[int], actual: Array) -> Array:
    """Return bool (S, N), after a check of the accuracies and of the `actual` classes."""
    recorded = side.metrics[name]["test"]["accuracies"]
    if len(recorded) != len(side.seeds):
        raise UntestableError(
            f"its metrics of {side.label} have {len(recorded)} seeds, params.yaml has {len(side.seeds)}: run "
            "`dvc repro`"
        )
    rows = []
    for seed in seeds:
        table = side.predictions[name][seed]
        hits = (table["actual"] == table["predicted"]).to_numpy()
        if abs(hits.mean() - recorded[side.seeds.index(seed)]) > 1e-9:
            raise UntestableError(
                f"its predictions of {side.label} do not give its test accuracy there: run `dvc checkout` or "
                "`dvc repro`"
            )
        if not np.array_equal(table["actual"].to_numpy(), actual):
            raise UntestableError(OTHER_IMAGES)
        rows.append(hits)
    if len(actual) < 2:
        raise UntestableError("it has fewer than 2 test images")
    return np.array(rows)


def _seeds(seeds: list[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {listed([str(seed) for seed in seeds])}"
