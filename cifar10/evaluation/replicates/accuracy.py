"""Accuracy of a model over its trainings, with an interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cifar10.evaluation.replicates.components import Array, checked
from cifar10.evaluation.replicates.intervals import accuracy_limits, accuracy_parts, quantile
from cifar10.evaluation.significance import LEVEL


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of one model; all but the counts are 0 to 1.

    Attributes:
        trainings: number of trainings, S.
        images: number of test images, N.
        mean: mean accuracy over trainings.
        sd: standard deviation over trainings (ddof 1) on these test images; None for one training.
        training_sd: the same without the finite test set, `Components.training_variance`; None for one.
        low: lower limit of the 95 % interval, which covers trainings and test images, but not the choice of
            the training images; for one training, it covers the test images alone.
        high: upper limit.
    """

    trainings: int
    images: int
    mean: float
    sd: float | None
    training_sd: float | None
    low: float
    high: float

    @property
    def text(self) -> str:
        """Mean, spread and interval in percent, for a table or a sentence."""
        interval = f"95 % interval {100 * self.low:.2f} to {100 * self.high:.2f} %"
        if self.sd is None:
            return f"{100 * self.mean:.2f} % ({interval}; one training: the spread over seeds is unknown)"
        return f"{100 * self.mean:.2f} ± {100 * self.sd:.2f} % over {self.trainings} trainings ({interval})"


def accuracies(correct: Mapping[str, Array], groups: Array | None = None) -> dict[str, Accuracy]:
    """Return the accuracy of each model; arguments and errors as for `components.checked`."""
    found = {}
    for name, model in checked(correct, groups).items():
        parts, counts = accuracy_parts(model)
        low, high = accuracy_limits(model, quantile(parts, counts, LEVEL))
        several = model.trainings > 1
        found[name] = Accuracy(
            trainings=model.trainings,
            images=model.total,
            mean=float(model.mean),
            sd=math.sqrt(model.seeds) if several else None,
            training_sd=math.sqrt(model.training_variance) if several else None,
            low=float(low),
            high=float(high),
        )
    return found
