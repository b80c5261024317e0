"""Paired significance tests of two .h5 files on the same test images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import binomtest

LEVEL = 0.05  # significance level of corrected p-values


@dataclass(frozen=True)
class Pair:
    """Two models on the same test images; `better` has at least as many correct answers as `worse`.

    `only_better` and `only_worse` count the images that only that model classifies correctly. `p_value` is
    from `mcnemar`, `corrected` from `holm` over all pairs.
    """

    better: str
    worse: str
    only_better: int
    only_worse: int
    images: int
    p_value: float
    corrected: float

    @property
    def lead(self) -> float:
        """Difference in test accuracy, `better` minus `worse` (0 to 1)."""
        return (self.only_better - self.only_worse) / self.images

    @property
    def significant(self) -> bool:
        """Whether the lead is significant at `LEVEL`."""
        return self.corrected < LEVEL


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value of the exact McNemar test (Q. McNemar, Psychometrika 12, 1947).

    Under the null hypothesis of equal accuracy, an image that only one model classifies correctly is equally
    likely to be classified correctly by either model.

    Args:
        only_first: number of images that only the first model classifies correctly.
        only_second: the same for the second model.

    Returns:
        The p-value; 1 if there is no such image.
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for multiple tests (S. Holm, Scand. J. Stat. 6, 1979).

    The smallest of m is multiplied by m, the next by m - 1 and so on; corrected values never decrease.

    Args:
        p_values: 0 to 1, in any order.

    Returns:
        Corrected values in the same order, at most 1.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    corrected = np.empty_like(values)
    corrected[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return [float(value) for value in np.minimum(corrected, 1)]


def pairs(correct: Mapping[str, np.ndarray]) -> list[Pair]:
    """Compare all models pairwise.

    Args:
        correct: by model, bool (N,): correct answers on the same test images in the same order.

    Returns:
        A `Pair` for every two models, in order; none for a single model.
    """
    counted = []
    for first, second in combinations(correct, 2):
        if correct[first].sum() < correct[second].sum():
            first, second = second, first
        only_first = int((correct[first] & ~correct[second]).sum())
        only_second = int((correct[second] & ~correct[first]).sum())
        counted.append((first, second, only_first, only_second))
    p_values = [mcnemar(only_first, only_second) for _, _, only_first, only_second in counted]
    images = len(next(iter(correct.values())))
    return [
        Pair(*counts, images, p_value, corrected)
        for counts, p_value, corrected in zip(counted, p_values, holm(p_values), strict=True)
    ]


def p_text(p_value: float) -> str:
    """Format a p-value: "= 0.0312", or "< 0.0001"."""
    return "< 0.0001" if p_value < 0.0001 else f"= {p_value:.4f}"


def listed(words: Sequence[str]) -> str:
    """Join words to a list such as "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
