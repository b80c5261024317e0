"""Whether a difference of a metric is more than its spread over seeds explains."""

from dataclasses import dataclass

import numpy as np

from cifar10.compare.diff import Spread
from cifar10.evaluation import significance
from cifar10.evaluation.replicates.intervals import quantile


@dataclass(frozen=True)
class Interval:
    """95 % interval of the difference of two means, for all compared models together; seeds only."""

    low: float
    high: float

    @property
    def explained(self) -> bool:
        """Whether the spread over seeds can explain the difference."""
        return self.low <= 0 <= self.high


def interval(
    before: Spread | None, after: Spread | None, seeds: tuple[int, int], models: int = 1
) -> Interval | None:
    """Compare two means over seeds, second minus first.

    The standard error is that of Welch's t test (Biometrika 34, 1947), sd_1^2 / S_1 + sd_2^2 / S_2 under the
    root. Its factor is `quantile` from `replicates.intervals`, which is at least as cautious as Welch's: the
    mean of the quantiles of both sides, weighted by variance; with two seeds on a side, the quantile for one
    degree of freedom. The test images are the same on both sides and are not counted as a source of chance.

    Args:
        before: mean and sample standard deviation over the seeds of the first side.
        after: the same for the second side.
        seeds: number of seeds of each side.
        models: number of compared models; the level of the interval is 1 - 0.05 / models.

    Returns:
        None if a side has no value, one seed, or no spread on both sides.
    """
    if before is None or after is None or min(seeds) < 2:
        return None
    (old, old_sd), (new, new_sd) = ((side["mean"], side["sd"]) for side in (before, after))
    if old is None or new is None or old_sd is None or new_sd is None or not (old_sd or new_sd):
        return None
    parts = [np.asarray(sd**2 / count) for sd, count in zip((old_sd, new_sd), seeds, strict=True)]
    critical = quantile(parts, [count - 1 for count in seeds], significance.LEVEL / models)
    half = float(critical * np.sqrt(parts[0] + parts[1]))
    return Interval(new - old - half, new - old + half)
