"""Paired significance tests of a difference in test accuracy, on the same test images."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from cifar10.compare import diff
from cifar10.compare.side import Side
from cifar10.evaluation import significance

SAME_PREDICTIONS = "the same predictions"


@dataclass(frozen=True)
class Paired:
    """The test of one model that both sides have, with one seed, on the same test images.

    Attributes:
        model: name of the model.
        lost: number of images that only the first side classifies correctly.
        gained: number of images that only the second side classifies correctly.
        images: number of all test images.
        p_value: from the exact McNemar test.
        corrected: the p-value after Holm's correction over all tested models.
    """

    model: str
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


def paired_tests(before: Side, after: Side) -> tuple[list[Paired], dict[str, str]]:
    """Test the difference in test accuracy of each model that both sides have, for the common seed.

    A model with the same predictions on both sides is not tested and does not count in Holm's correction.

    Returns:
        The tests, and the reason for each model of both sides that is not tested.
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
    """Return the reason why a model cannot be tested; "" if it can."""
    sides = (before, after)
    without = [side.label for side in sides if name not in side.metrics]
    if without:
        return f"no metrics in {significance.listed(without)}"
    seed = diff.common_seed(before, after)
    if seed is None:
        return "no seed is on both sides"
    if name not in diff.retrained(before, after):
        return SAME_PREDICTIONS
    if None not in (images := {side.test_images_hash(name, seed) for side in sides}) and len(images) > 1:
        return "measured on other test images, so that no image pairs with one of the other side"
    without = [side.label for side in sides if name not in side.predictions]
    if without:
        return f"its predictions in {significance.listed(without)} are not available"
    for side in sides:
        recorded = side.metrics[name]["test"]["accuracies"][side.seeds.index(seed)]
        if abs(_correct(side, name).mean() - recorded) > 1e-9:
            return (
                f"its predictions of {side.label} do not give its test accuracy there: run `dvc checkout` or "
                "`dvc repro`"
            )
    first, second = (side.predictions[name]["actual"].to_numpy() for side in sides)
    if not np.array_equal(first, second):
        return "measured on other test images, so that no image pairs with one of the other side"
    return ""


def _correct(side: Side, name: str) -> np.ndarray:
    """Tell which test images a model classifies correctly: bool (N,)."""
    table = side.predictions[name]
    return (table["actual"] == table["predicted"]).to_numpy()


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
    reach = norm.ppf((1 + significance.CONFIDENCE) / 2) * spread
    return max(-1.0, float(centre - reach)), min(1.0, float(centre + reach))
