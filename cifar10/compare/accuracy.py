"""Difference in test accuracy of a model that is trained several times on both sides."""

from collections.abc import Mapping
from dataclasses import dataclass

from cifar10.compare.correct import Array
from cifar10.evaluation import replicates
from cifar10.evaluation.replicates import Outcome


@dataclass(frozen=True)
class Move:
    """Difference in test accuracy, second side minus first (-1 to 1).

    Attributes:
        difference: of the mean accuracies.
        low: lower limit of the interval, which covers trainings and test images, for all models together.
        high: upper limit.
        images: number of test images.
        outcome: of the side with the higher mean accuracy.
        to_decide: number of trainings of each side that would decide with 80 % power; None if none would.
    """

    difference: float
    low: float
    high: float
    images: int
    outcome: Outcome
    to_decide: int | None

    @property
    def verdict(self) -> str:
        """The outcome, as a statement about the second side."""
        return self.outcome.replace("better", "worse") if self.difference < 0 else self.outcome.value


def moves(correct: Mapping[str, tuple[Array, Array]]) -> dict[str, Move]:
    """Compare both sides of each model with `replicates.matched`.

    Args:
        correct: by model, bool (S, N) of each side, S at least 2.
    """
    pairs = [{"before": first, "after": second} for first, second in correct.values()]
    return {name: _move(found) for name, found in zip(correct, replicates.matched(pairs), strict=True)}


def _move(found: replicates.Difference) -> Move:
    """Turn the lead of one side into the difference, second side minus first."""
    if found.estimate is None:
        raise ValueError(f"expected several trainings of each side, found {found.trainings}")
    low, high, sign = found.estimate.low, found.estimate.high, 1
    if found.first == "before":
        low, high, sign = -high, -low, -1
    needed = found.trainings_to_decide if found.outcome is Outcome.UNDECIDED else None
    return Move(sign * found.lead, low, high, found.images, found.outcome, needed)
