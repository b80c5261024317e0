"""Mistakes on test images, by the mean probabilities of each model's trainings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cifar10.evaluation.significance import listed
from cifar10.report.results import Results

SHOWN = 5  # images of each kind in a figure
LEAST = 1e-12  # probability whose logarithm is the highest loss


@dataclass(frozen=True)
class Mistakes:
    """Mean probabilities of each model for the test images, and selections of images by their number.

    `actual` are the labels, int (N,); `probabilities` are float (N, K) by model.
    """

    actual: np.ndarray
    probabilities: Mapping[str, np.ndarray]

    @cached_property
    def predicted(self) -> dict[str, np.ndarray]:
        """By model, the most probable classes, int (N,)."""
        return {name: values.argmax(axis=1) for name, values in self.probabilities.items()}

    @cached_property
    def of_actual(self) -> dict[str, np.ndarray]:
        """By model, the probabilities of the actual classes, float (N,)."""
        every = np.arange(len(self.actual))
        return {name: values[every, self.actual] for name, values in self.probabilities.items()}

    @cached_property
    def confidence(self) -> dict[str, np.ndarray]:
        """By model, the probabilities of the predicted classes, float (N,)."""
        return {name: values.max(axis=1) for name, values in self.probabilities.items()}

    @cached_property
    def wrong(self) -> np.ndarray:
        """Wrong predictions, bool (M, N): a row per model."""
        return np.array([labels != self.actual for labels in self.predicted.values()])

    def highest_losses(self, name: str) -> np.ndarray:
        """Return the mistakes of a model, the highest loss first."""
        return self._mistakes(name, self.of_actual[name])

    def most_confident(self, name: str) -> np.ndarray:
        """Return the mistakes of a model, the most probable one first."""
        return self._mistakes(name, -self.confidence[name])

    @cached_property
    def by_all(self) -> np.ndarray:
        """Return the images that no model gets right, the highest mean loss first."""
        losses = [-np.log(np.maximum(values, LEAST)) for values in self.of_actual.values()]
        return _sorted(np.flatnonzero(self.wrong.all(axis=0)), -np.mean(losses, axis=0))

    @cached_property
    def only(self) -> dict[str, np.ndarray]:
        """Return the images that only one model gets right, by this model, its most confident one first."""
        alone = (~self.wrong).sum(axis=0) == 1
        return {
            name: _sorted(np.flatnonzero(alone & ~wrong), -self.confidence[name])
            for name, wrong in zip(self.predicted, self.wrong, strict=True)
        }

    def misled(self, name: str, index: int) -> str:
        """Return the other model with the most probable wrong answer to an image."""
        others = [other for other in self.predicted if other != name]
        return max(others, key=lambda other: self.confidence[other][index])

    def _mistakes(self, name: str, order: np.ndarray) -> np.ndarray:
        return _sorted(np.flatnonzero(self.predicted[name] != self.actual), order)


def find(found: Results) -> Mistakes:
    """Average the probabilities of the trainings of each model."""
    return Mistakes(found.actual, {model.name: model.mean_probabilities for model in found.models})


def describe(found: Results) -> dict[str, object]:
    """Return what the templates show of the mistakes.

    Returns:
        count: by model, the number of mistakes; alt: by model, its most confident mistakes in words;
        highest: by model, the probability of its most confident mistake, 0 without any; all: the number of
        images that no model gets right; all_alt: the first of them in words; only: by model, the number of
        images that only this model gets right; figure: whether there is a figure of all models.
    """
    mistakes = find(found)
    return {
        "count": {
            name: int(wrong.sum()) for name, wrong in zip(mistakes.predicted, mistakes.wrong, strict=True)
        },
        "alt": {
            name: _words(mistakes, name, mistakes.most_confident(name)[:SHOWN], found.classes)
            for name in mistakes.predicted
        },
        "highest": {
            name: float(max(mistakes.confidence[name][wrong], default=0))
            for name, wrong in zip(mistakes.predicted, mistakes.wrong, strict=True)
        },
        "all": len(mistakes.by_all),
        "all_alt": _listed([found.classes[mistakes.actual[index]] for index in mistakes.by_all[:SHOWN]]),
        "only": {name: len(images) for name, images in mistakes.only.items()},
        "figure": has_figure(mistakes),
    }


def has_figure(mistakes: Mistakes) -> bool:
    """Tell whether there is something to show of several models."""
    shared = len(mistakes.by_all) or any(map(len, mistakes.only.values()))
    return len(mistakes.predicted) > 1 and bool(shared)


def _words(mistakes: Mistakes, name: str, images: Iterable[int], classes: list[str]) -> str:
    return _listed(
        [
            f"{classes[mistakes.actual[index]]} as {classes[mistakes.predicted[name][index]]} "
            f"({100 * mistakes.confidence[name][index]:.0f} %)"
            for index in images
        ]
    )


def _listed(words: list[str]) -> str:
    return listed(words) if words else ""


def _sorted(images: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Sort image numbers by the values of `order`, equal ones by their number."""
    return images[np.argsort(order[images], kind="stable")]
