"""Comparison of every two models over their trainings and the same test images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy.optimize import brentq

from cifar10.evaluation import significance
from cifar10.evaluation.replicates.components import Array, Components, checked, degrees_of_freedom
from cifar10.evaluation.replicates.difference import Difference, Estimate
from cifar10.evaluation.replicates.intervals import (
    difference_limits,
    difference_parts,
    is_bounded,
    p_value,
    quantile,
)
from cifar10.evaluation.replicates.power import Design

FARTHEST = 1e12  # critical value of the widest interval
EQUAL = 1e-12  # smaller differences are rounding errors


def differences(correct: Mapping[str, Array], groups: Array | None = None) -> list[Difference]:
    """Compare all models pairwise; arguments and errors as for `components.checked`.

    Returns:
        A `Difference` for every two models, in order; none for a single model.
    """
    models = checked(correct, groups)
    return _compared(
        [
            ({name: correct[name] for name in pair}, {name: models[name] for name in pair})
            for pair in combinations(models, 2)
        ]
    )


def matched(pairs: Sequence[Mapping[str, Array]]) -> list[Difference]:
    """Compare the two models of each pair; intervals and corrected p-values hold for all pairs together.

    Args:
        pairs: each with two models, as for `components.checked`; the test images may differ between pairs.

    Returns:
        A `Difference` for every pair, in order.

    Raises:
        ValueError: as for `components.checked`.
    """
    return _compared([(pair, checked(pair)) for pair in pairs])


def _compared(pairs: Sequence[tuple[Mapping[str, Array], Mapping[str, Components]]]) -> list[Difference]:
    """Compare the two models of each pair: correct answers and components, by name."""
    ordered = [sorted(models.items(), key=lambda item: -float(item[1].mean)) for _, models in pairs]
    several = [min(one.trainings, other.trainings) > 1 for (_, one), (_, other) in ordered]
    estimates = iter(
        _estimates([(a, b) for ((_, a), (_, b)), tested in zip(ordered, several, strict=True) if tested])
    )
    files = [significance.pairs({name: hits[0] for name, hits in correct.items()})[0] for correct, _ in pairs]
    corrected = significance.holm([pair.p_value for pair in files])
    found = []
    for ((first, one), (second, other)), tested, pair, p in zip(
        ordered, several, files, corrected, strict=True
    ):
        apart = np.sign(np.subtract.outer(one.accuracies, other.accuracies))
        found.append(
            Difference(
                first,
                second,
                (one.trainings, other.trainings),
                one.total,
                float(one.mean - other.mean),
                int((apart > 0).sum()),
                int((apart < 0).sum()),
                next(estimates) if tested else None,
                replace(pair, corrected=p),
            )
        )
    return found


def _estimates(pairs: list[tuple[Components, Components]]) -> list[Estimate]:
    p_values = [_p_value(*pair) for pair in pairs]
    found = []
    for pair, p, corrected in zip(pairs, p_values, significance.holm(p_values), strict=True):
        parts, counts = difference_parts(*pair)
        critical = quantile(parts, counts, significance.LEVEL / len(pairs))
        low, high = difference_limits(*pair, critical)
        df = 1.0 if min(counts) == 1 else float(degrees_of_freedom(parts, counts))
        error = math.sqrt(float(sum(parts)))
        limits = max(-1.0, float(low)), min(1.0, float(high))  # wider ones come from two trainings
        found.append(Estimate(error, df, *limits, p, corrected, len(pairs), Design.of(*pair)))
    return found


def _p_value(first: Components, second: Components) -> float:
    """Return the level at which the interval touches 0."""
    parts, counts = difference_parts(first, second)
    lead, error = float(first.mean - second.mean), math.sqrt(float(sum(parts)))
    if lead < EQUAL:
        return 1.0
    if not (is_bounded(first) | is_bounded(second)):
        return p_value(lead / error if error else math.inf, parts, counts)

    def lower(critical: float) -> float:
        return float(difference_limits(first, second, np.asarray(critical))[0])

    return p_value(brentq(lower, 0, FARTHEST) if lower(FARTHEST) < 0 else math.inf, parts, counts)
