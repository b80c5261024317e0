"""McNemar's test of two .h5 files of a model, for models with one training on a side."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from cifar10.compare.correct import Array
from cifar10.evaluation import accuracy_interval, significance


@dataclass(frozen=True)
class Paired:
    """The test of two files of a model, on the same test images: a result about files, not about models.

    Attributes:
        model: name of the model.
        seeds: of the file of each side.
        lost: number of images that only the first side classifies correctly.
        gained: number of images that only the second side classifies correctly.
        images: number of all test images.
        p_value: from the exact McNemar test.
        corrected: the p-value after Holm's correction over all tested models.
    """

    model: str
    seeds: tuple[int, int]
    lost: int
    gained: int
    images: int
    p_value: float
    corrected: float

    @property
    def difference(self) -> float:
        """Difference in test accuracy, second side minus first (-1 to 1)."""
        return (self.gained - self.lost) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `difference`."""
        return difference_interval(self.lost, self.gained, self.images)

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at significance.LEVEL."""
        return self.corrected < significance.LEVEL


def paired_tests(
    correct: Mapping[str, tuple[Array, Array]], seeds: Mapping[str, tuple[int, int]]
) -> list[Paired]:
    """Compare two files of each model.

    Args:
        correct: by model, bool (N,) of each side: correct answers for the same test images.
        seeds: by model, the seed of each file.
    """
    counts = {
        name: (int((first & ~second).sum()), int((second & ~first).sum()), len(first))
        for name, (first, second) in correct.items()
    }
    p_values = [significance.mcnemar(lost, gained) for lost, gained, _ in counts.values()]
    outcomes = zip(counts.items(), p_values, significance.holm(p_values), strict=True)
    return [Paired(name, seeds[name], *numbers, *values) for (name, numbers), *values in outcomes]


def difference_interval(lost: int, gained: int, images: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two accuracies on the same images (-1 to 1).

    The "Wald+2" interval of A. Agresti and Y. Min, Statistics in Medicine 24, 2005, 729-740: half an image
    is added to each of the four cells of the paired table, then the normal approximation is used.

    Args:
        lost: number of images that only the first side classifies correctly.
        gained: number of images that only the second side classifies correctly.
        images: number of all images.
    """
    total = images + 2
    centre = (gained - lost) / total
    spread = np.sqrt(lost + gained + 1 - (gained - lost) ** 2 / total) / total
    reach = norm.ppf((1 + accuracy_interval.CONFIDENCE) / 2) * spread
    return max(-1.0, float(centre - reach)), min(1.0, float(centre + reach))
