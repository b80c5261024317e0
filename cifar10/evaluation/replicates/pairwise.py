"""Comparison of every two models over their trainings and the same test images."""

import math
from collections.abc import Mapping
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
    ordered = [
        (one, other) if models[one].mean >= models[other].mean else (other, one)
        for one, other in combinations(models, 2)
    ]
    tested = [pair for pair in ordered if min(models[name].trainings for name in pair) > 1]
    estimates = dict(zip(tested, _estimates([(models[a], models[b]) for a, b in tested]), strict=True))
    files = significance.pairs({name: hits[0] for name, hits in correct.items()})
    found = []
    for (first, second), pair in zip(ordered, files, strict=True):
        one, other = models[first], models[second]
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
                estimates.get((first, second)),
                pair,
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
        found.append(Estimate(error, df, float(low), float(high), p, corrected, len(pairs), Design.of(*pair)))
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
