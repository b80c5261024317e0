"""What an answer costs: multiply-adds, parameters and file size of each model."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cifar10.evaluation.replicates import Difference
from cifar10.evaluation.replicates.difference import Outcome
from cifar10.report.results import Model, Results


@dataclass(frozen=True)
class Cost:
    """Cost of an answer for one image.

    Attributes:
        model: its results.
        passes: through the network: 2 with the mirror image, otherwise 1.
        multiply_adds: of one training, in all passes; None if a layer's kind is unknown.
    """

    model: Model
    passes: int
    multiply_adds: int | None

    @property
    def ensemble(self) -> int | None:
        """Multiply-adds of all trainings of the model; None if unknown."""
        return self.multiply_adds and self.multiply_adds * len(self.model.trainings)

    @property
    def parameters(self) -> int:
        """Number of parameters of one training."""
        return self.model.metrics["model"]["parameters"]

    @property
    def bytes(self) -> int:
        """Size of the .h5 file, the largest one if they differ."""
        return self.model.metrics["model"]["bytes"]


@dataclass(frozen=True)
class Point:
    """Test accuracy of a model, 0 to 1, with its 95 % interval and the multiply-adds of an answer.

    `trainings` is 1 for a single training, or the number of trainings of the ensemble.
    """

    name: str
    trainings: int
    multiply_adds: int
    accuracy: float
    low: float
    high: float


def points(costs: Sequence[Cost]) -> list[Point]:
    """List the points of the figure, of the models with a known number of multiply-adds."""
    found = []
    for cost in costs:
        name, mean, ensemble = cost.model.name, cost.model.accuracy, cost.model.ensemble
        test = cost.model.metrics["test"]["accuracy"]
        if cost.multiply_adds and cost.ensemble:
            found.append(Point(name, 1, cost.multiply_adds, test["mean"], mean.low, mean.high))
            if ensemble:
                limits = ensemble["accuracy_low"], ensemble["accuracy_high"]
                size = len(cost.model.trainings)
                found.append(Point(name, size, cost.ensemble, ensemble["accuracy"], *limits))
    return found


def find(found: Results, mirrored: Collection[str]) -> list[Cost]:
    """Compute the cost of each model.

    Args:
        found: the results.
        mirrored: names of the models in `predict.mirror`.
    """
    return [of(model, model.name in mirrored) for model in found.models]


def of(model: Model, mirrored: bool) -> Cost:
    """Compute the cost of a model; the counts of its layers come from `evaluate`."""
    counts = [layer["multiply_adds"] for layer in model.architecture]
    passes = 2 if mirrored else 1
    return Cost(model, passes, None if None in counts else passes * sum(counts))


def preferable(found: Results, costs: Sequence[Cost], name: str) -> list[str]:
    """List the models that are better than a model, by the interval of the difference, and cost no more."""
    counts = {cost.model.name: cost.multiply_adds for cost in costs}
    own = counts[name]
    better = [pair.first for pair in found.differences if pair.second == name and _is_better(pair)]
    return [other for other in better if own is not None and (counts[other] or math.inf) <= own]


def _is_better(pair: Difference) -> bool:
    return pair.outcome in (Outcome.BETTER, Outcome.PERHAPS)


def words(count: int | None) -> str:
    """Write a number of multiply-adds, with three digits: 1.53 M, 57.3 M, 1.2 G."""
    if count is None:
        return "unknown"
    value, unit = (count / 1e9, "G") if count >= 999.5e6 else (count / 1e6, "M")
    if count < 5e4:
        return f"{count:,}"
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"
