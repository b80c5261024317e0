"""The answer of a model for the portrait, in words."""

from collections import Counter
from dataclasses import dataclass

from cifar10.evaluation.predictions import NONE, percent, verdict
from cifar10.report.results import Model


@dataclass(frozen=True)
class Person:
    """What a model says about the portrait.

    Attributes:
        verdict: a class, or "none of these".
        unusual: share of the validation images that look at least as unusual, such as "2.1 %".
        top: the most probable classes with their probabilities, 0 to 1.
        layer: the hidden layer of the first training in which it is the most unusual, with that share for
            this layer alone, such as "Dense 256 (1.3 %)"; "" without hidden layers.
        nearest: the classes of the training images that the first training finds the most similar, with
            their numbers, such as "truck 4, ship 2"; the most frequent first.
    """

    verdict: str
    unusual: str
    top: list[tuple[str, float]]
    layer: str
    nearest: str


def describe(model: Model) -> Person | None:
    """Describe the answer of a model for the portrait; None if `data.ood_exclude` has it."""
    answers = model.person
    if answers is None:
        return None
    shares, layer = model.first.ood["person"]["layers"], ""
    if shares:
        least = min(range(len(shares)), key=shares.__getitem__)
        layer = f"{model.first.ood['layers'][least]} ({percent(shares[least])})"
    classes = model.classes
    return Person(
        verdict=verdict(classes, answers, 0) or NONE,
        unusual=percent(float(answers.p_values[0])),
        top=[(classes[label], float(answers.probabilities[0, label])) for label in answers.top(0)],
        layer=layer,
        nearest=", ".join(f"{name} {count}" for name, count in Counter(model.first.nearest).most_common()),
    )
