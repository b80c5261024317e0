"""Comparison of every two models over their trainings and the same test images."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from scipy.optimize import brentq

from cifar10.evaluation import significance
from cifar10.evaluation.replicates.components import Array, Components, checked, degrees_of_freedom
from cifar10.evaluation.replicates.intervals import (
    difference_limits,
    difference_parts,
    is_bounded,
    p_value,
    quantile,
)
from cifar10.evaluation.replicates.power import Design

MARGIN = 0.005  # a smaller difference of two accuracies does not matter in practice
POINT = 0.01
FARTHEST = 1e12  # critical value of the widest interval


class Outcome(StrEnum):
    """What an interval says about two models."""

    BETTER = "better"  # by more than the margin
    PERHAPS = "better, perhaps by less than matters"  # the interval includes the margin
    EQUAL = "as good for practical purposes"  # the interval lies within the margin on both sides
    UNDECIDED = "not decided"
    UNKNOWN = "no verdict"  # one training of a model


@dataclass(frozen=True)
class Estimate:
    """Uncertainty of a difference.

    Attributes:
        error: standard error from the trainings of both models and from test images, 0 to 1.
        df: Welch-Satterthwaite degrees of freedom of `error`; 1 if a model has two trainings.
        low: lower limit of the interval that holds for all pairs at once, at 1 - 0.05 / pairs.
        high: upper limit.
        p_value: level at which the interval touches 0.
        corrected: p-value after `significance.holm` over all pairs. It can be below 0.05 where the interval
            includes 0, since Holm's test is the stronger one; the outcome follows the interval.
        pairs: number of pairs.
        design: variances, for the power.
    """

    error: float
    df: float
    low: float
    high: float
    p_value: float
    corrected: float
    pairs: int
    design: Design

    @property
    def level(self) -> float:
        """Significance level of one pair, 0.05 / pairs."""
        return significance.LEVEL / self.pairs


@dataclass(frozen=True)
class Difference:
    """Two models on the same test images; `first` has at least the mean accuracy of `second`.

    Attributes:
        first: name of a model.
        second: name of the other model.
        trainings: of the first and second.
        images: number of test images.
        lead: difference of the mean accuracies, 0 to 1.
        won: number of the S_A x S_B pairs of trainings in which the first has the higher accuracy.
        lost: the same for the second; the remaining pairs are ties.
        estimate: None if a model was trained once: its spread over seeds is unknown.
        files: McNemar's test of the first training of each: a result about two files, not two models.
    """

    first: str
    second: str
    trainings: tuple[int, int]
    images: int
    lead: float
    won: int
    lost: int
    estimate: Estimate | None
    files: significance.Pair

    @property
    def outcome(self) -> Outcome:
        """What the interval says."""
        if self.estimate is None:
            return Outcome.UNKNOWN
        low, high = self.estimate.low, self.estimate.high
        if low >= -MARGIN and high <= MARGIN:
            return Outcome.EQUAL
        if low > 0:
            return Outcome.BETTER if low > MARGIN else Outcome.PERHAPS
        return Outcome.UNDECIDED

    @property
    def trainings_to_decide(self) -> int | None:
        """Trainings of each that would decide with 80 % power, if `lead` is true; None if no number would."""
        estimate = self.estimate
        return estimate.design.to_decide(self.lead, MARGIN, estimate.level) if estimate else None

    @property
    def trainings_for_a_point(self) -> int | None:
        """Trainings of each that find a difference of one point with 80 % power; None if no number does."""
        return self.estimate.design.to_tell(POINT, self.estimate.level) if self.estimate else None


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
    if lead == 0:
        return 1.0
    if not (is_bounded(first) | is_bounded(second)):
        return p_value(lead / error if error else math.inf, parts, counts)

    def lower(critical: float) -> float:
        return float(difference_limits(first, second, np.asarray(critical))[0])

    return p_value(brentq(lower, 0, FARTHEST) if lower(FARTHEST) < 0 else math.inf, parts, counts)
