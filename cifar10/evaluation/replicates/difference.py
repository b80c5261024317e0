"""Result of the comparison of two models that are trained several times."""

from dataclasses import dataclass
from enum import StrEnum

from cifar10.evaluation import significance
from cifar10.evaluation.replicates.power import Design

MARGIN = 0.005  # a smaller difference of two accuracies does not matter in practice
POINT = 0.01


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
        df: Welch-Satterthwaite degrees of freedom of `error`, to report; 1 if a model has two trainings. The
            interval and p-value use `intervals.quantile`, which never falls below Student's t with `df`.
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
        if max(-low, high) <= MARGIN:
            return Outcome.EQUAL
        if low > 0:
            return Outcome.BETTER if low > MARGIN else Outcome.PERHAPS
        return Outcome.UNDECIDED

    @property
    def trainings_to_decide(self) -> int | None:
        """Trainings of each, more than now, that decide with 80 % power if `lead` is true; None if none."""
        if self.estimate is None:
            return None
        enough = self.estimate.design.to_decide(self.lead, MARGIN, self.estimate.level)
        return None if enough is None else max(enough, min(self.trainings) + 1)

    @property
    def trainings_for_a_point(self) -> int | None:
        """Trainings of each that find a difference of one point with 80 % power; None if no number does."""
        return self.estimate.design.to_tell(POINT, self.estimate.level) if self.estimate else None
