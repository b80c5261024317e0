"""Quantiles and limits for an estimate whose variance has parts with few degrees of freedom."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t

from cifar10.evaluation.replicates.components import Array, Components, covariance

EXTREME = 0.97  # accuracies above it, or below 1 - it, need limits between 0 and 1
FEW = 200  # images or groups; with fewer, too
TINY = 1e-100  # smaller p-values are 0; SciPy has their quantiles for any degrees of freedom


def quantile(parts: Sequence[Array], counts: Sequence[int], level: float) -> Array:
    """Critical value of |estimate| / sqrt(v), where v is the sum of the parts.

    sum_k v_k t(f_k) / v, the mean of the quantiles t(f_k) of Student's t, weighted by variance (Cochran and
    Cox, Experimental Designs, 1950). Satterthwaite's degrees of freedom give a smaller quantile, but too
    many differences between equal models where trainings spread unequally: benchmarks/replicates.py compares
    both. Where a part has one degree of freedom (two trainings), its quantile is that of all.

    Args:
        parts: variances v_k, each of shape (...,).
        counts: degrees of freedom f_k of each part.
        level: 0 to 1, two-sided.
    """
    total, criticals = np.asarray(sum(parts)), [float(t.isf(level / 2, count)) for count in counts]
    if min(counts) == 1:
        return np.full_like(total, max(criticals))
    weighted = np.asarray(sum(part * critical for part, critical in zip(parts, criticals, strict=True)))
    return np.where(total > 0, weighted / np.where(total > 0, total, 1), min(criticals))


def p_value(statistic: float, parts: Sequence[Array], counts: Sequence[int]) -> float:
    """Level at which `quantile` equals the statistic, 0 to 1; the parts have no dimensions."""
    if not statistic > 0:
        return 1.0
    if quantile(parts, counts, TINY) <= statistic:
        return 0.0
    return math.exp(
        brentq(lambda power: quantile(parts, counts, math.exp(power)) - statistic, math.log(TINY), 0)
    )


def wilson(mean: Array, variance: Array, critical: Array, cases: int) -> tuple[Array, Array]:
    """Limits of a proportion from 0 to 1 (Wilson, J. Am. Stat. Assoc. 22, 1927).

    The number of images is the effective one, n = A (1 - A) / v, with the mean A and its variance v from all
    sources; it is `cases` where A is 0 or 1 or v is 0.
    """
    spread = mean * (1 - mean)
    known = (spread > 0) & (variance > 0)
    share = critical**2 * np.where(known, variance / np.where(known, spread, 1), 1 / cases)  # c^2 / n
    middle = (mean + share / 2) / (1 + share)
    half = np.sqrt(share * spread + share**2 / 4) / (1 + share)
    return np.maximum(0, middle - half), np.minimum(1, middle + half)


def is_bounded(model: Components) -> Array:
    """Whether limits need the scale of a proportion: an accuracy near 0 or 1, or few images."""
    return (np.maximum(model.mean, 1 - model.mean) > EXTREME) | (model.cases < FEW)


def accuracy_limits(model: Components, critical: Array) -> tuple[Array, Array]:
    """Limits of an accuracy: mean -+ critical sqrt(v); Wilson's where `is_bounded` or outside of 0 to 1."""
    parts, _ = accuracy_parts(model)
    variance = np.asarray(sum(parts))
    half = critical * np.sqrt(variance)
    low, high = model.mean - half, model.mean + half
    bounded = is_bounded(model) | (low < 0) | (high > 1)
    wilson_low, wilson_high = wilson(model.mean, variance, critical, model.cases)
    return np.where(bounded, wilson_low, low), np.where(bounded, wilson_high, high)


def difference_limits(first: Components, second: Components, critical: Array) -> tuple[Array, Array]:
    """Limits of the difference of two accuracies, D -+ critical sqrt(v).

    Where one of them `is_bounded`, they come from Wilson's limits l, u of both (Newcombe, Stat. Med. 17,
    1998, method 10): the lower one is D - sqrt(x^2 - 2 r x y + y^2) with x = A - l_A, y = u_B - B and the
    correlation r of the two means; the upper one is D + the same with x = u_A - A, y = B - l_B.
    """
    parts, _ = difference_parts(first, second)
    lead, half = first.mean - second.mean, critical * np.sqrt(np.asarray(sum(parts)))
    variances = [np.asarray(sum(accuracy_parts(model)[0])) for model in (first, second)]
    product = np.sqrt(variances[0] * variances[1])
    shared = covariance(first.residuals, second.residuals, first.total)
    correlation = np.where(product > 0, shared / np.where(product > 0, product, 1), 0)
    (low_a, high_a), (low_b, high_b) = (
        wilson(model.mean, variance, critical, model.cases)
        for model, variance in zip((first, second), variances, strict=True)
    )
    below = _combined(first.mean - low_a, high_b - second.mean, correlation)
    above = _combined(high_a - first.mean, second.mean - low_b, correlation)
    bounded = is_bounded(first) | is_bounded(second)
    return lead - np.where(bounded, below, half), lead + np.where(bounded, above, half)


def accuracy_parts(model: Components) -> tuple[list[Array], list[int]]:
    """Parts of the variance of a mean accuracy, over trainings (if several) and images, and their df."""
    if model.trainings == 1:
        return [model.images], [model.cases - 1]
    return [model.seeds / model.trainings, model.images], [model.trainings - 1, model.cases - 1]


def difference_parts(first: Components, second: Components) -> tuple[list[Array], list[int]]:
    """Parts of the variance of a difference, over the trainings of each model and images, and their df.

    Trainings: var_s(a) / S. Images, paired: var_i(d_i) / N (ddof 1) with d_i = mean_s c_A - mean_s c_B. The
    interaction of trainings and images is in both, which is safe: its subtraction makes the test liberal.
    """
    apart = first.residuals - second.residuals
    models = (first, second)
    parts = [model.seeds / model.trainings for model in models] + [covariance(apart, apart, first.total)]
    return parts, [model.trainings - 1 for model in models] + [first.cases - 1]


def _combined(one: Array, other: Array, correlation: Array) -> Array:
    return np.sqrt(np.maximum(0, one**2 - 2 * correlation * one * other + other**2))
