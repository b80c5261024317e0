"""Number of trainings that tell two models apart, from the estimated variance components."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.stats import nct, norm

from cifar10.evaluation.replicates.components import Array, Components, covariance, degrees_of_freedom
from cifar10.evaluation.replicates.intervals import quantile
from cifar10.evaluation.significance import LEVEL

POWER = 0.8
MOST = 10_000  # trainings of each model
NORMAL = 1000  # degrees of freedom from which Student's t counts as normal


@dataclass(frozen=True)
class Design:
    """Variances that decide the power of a comparison of two models; accuracies are 0 to 1.

    Attributes:
        seeds: var_s(a) of each model.
        noise: sum over both models of mean_i var_s(c) / N: in `seeds` too, and counted twice by the test.
        images: variance of the difference over test images after infinitely many trainings: var_i(d) / N
            minus mean_i var_s(c) / (N S) of both models, at least 0.
        cases: number of test images or groups.
    """

    seeds: tuple[float, float]
    noise: float
    images: float
    cases: int

    @classmethod
    def of(cls, first: Components, second: Components) -> Self:
        """Estimate from two models with at least two trainings each, without leading dimensions."""
        models = (first, second)
        apart = first.residuals - second.residuals
        double = sum(float(model.noise) / model.trainings for model in models)
        images = max(0.0, float(covariance(apart, apart, first.total)) - double)
        noise = float(first.noise + second.noise)
        return cls((float(first.seeds), float(second.seeds)), noise, images, first.cases)

    def power(self, difference: float, trainings: float, level: float = LEVEL) -> float:
        """Probability that the test finds a true difference, with equally many trainings of each model.

        The statistic is about noncentral t with Satterthwaite's degrees of freedom. Its noncentrality has the
        true variance; the critical value is larger, because the test counts the noise twice.

        Args:
            difference: of the true accuracies, 0 to 1.
            trainings: of each model, at least 2, or infinity.
            level: two-sided significance level, 0 to 1.
        """
        true, counted, critical, df = self._test(trainings, level)
        if true == 0:
            return 0.0
        shift, threshold = difference / math.sqrt(true), critical * math.sqrt(counted / true)
        if df > NORMAL or shift > 30:  # far out, noncentral t has no stable values
            return float(norm.sf(threshold - shift))
        return float(nct.sf(threshold, df, shift))

    def equivalence(self, difference: float, margin: float, trainings: float, level: float = LEVEL) -> float:
        """Probability, about, that the whole interval lies within -margin to margin."""
        true, counted, critical, _ = self._test(trainings, level)
        room = margin - critical * math.sqrt(counted)
        if true == 0:
            return 0.0
        limits = np.array([-max(0, room) - difference, max(0, room) - difference]) / math.sqrt(true)
        return float(np.diff(norm.cdf(limits))[0])

    def to_tell(self, difference: float, level: float = LEVEL) -> int | None:
        """Smallest number of trainings of each model that finds a difference with 80 % power.

        Returns:
            2 to `MOST`; None if no number is enough, because the test set is too small or shows no variance.
        """
        return _smallest(lambda trainings: self.power(difference, trainings, level))

    def to_decide(self, difference: float, margin: float, level: float = LEVEL) -> int | None:
        """Smallest number of trainings of each model that decides, with 80 % power: better or as good.

        Args:
            difference: assumed true one, 0 to 1.
            margin: of models that are as good for practical purposes, 0 to 1.
            level: two-sided significance level, 0 to 1.

        Returns:
            As `to_tell`.
        """
        return _smallest(
            lambda trainings: max(
                self.power(difference, trainings, level),
                self.equivalence(difference, margin, trainings, level),
            )
        )

    def _test(self, trainings: float, level: float) -> tuple[float, float, float, float]:
        """Return the true variance, the one that the test counts on average, critical value and df."""
        if math.isinf(trainings):
            return self.images, self.images, float(norm.isf(level / 2)), math.inf
        parts: list[Array] = [np.asarray(seeds / trainings) for seeds in self.seeds]
        parts.append(np.asarray(self.images + self.noise / trainings))
        counts = [int(trainings) - 1, int(trainings) - 1, self.cases - 1]
        counted = float(sum(parts))
        critical = float(quantile(parts, counts, level))
        df = float(degrees_of_freedom(parts, counts))
        return counted - self.noise / trainings, counted, critical, df


def _smallest(power: Callable[[float], float]) -> int | None:
    if power(math.inf) < POWER or power(MOST) < POWER:
        return None
    low, high = 1, 2  # too few, perhaps enough
    while power(high) < POWER:
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high
