"""Balanced accuracy and the baseline of the most frequent class, for test sets of unequal classes."""

import numpy as np

from cifar10.evaluation import accuracy_interval
from cifar10.evaluation.significance import listed
from cifar10.report.results import Model, Results

RATIO = 3  # of the most frequent class to the rarest one, above which the report leads with balanced accuracy


def headline(found: Results) -> str:
    """Compare the models by balanced accuracy and with the most frequent class; "" for balanced classes.

    A model beats the most frequent class if the Wilson 95 % interval of its mean accuracy, which covers the
    test images, lies above the share of that class.
    """
    counts = np.bincount(found.actual, minlength=len(found.classes))
    present = counts[counts > 0]
    if present.max() <= RATIO * present.min():
        return ""
    share = counts.max() / counts.sum()
    shares = [f"{model.name} {100 * balanced_accuracy(model):.2f} %" for model in found.models]
    better = [model.name for model in found.models if _lowest(model) > share]
    verdict = f"Better than that: {listed(better)}." if better else "No model is better than that."
    return (
        f"The classes of the test set differ by more than {RATIO}:1. Balanced accuracy: {listed(shares)}. "
        f"Always the most frequent class, {found.classes[counts.argmax()]}: accuracy {100 * share:.2f} %, "
        f"balanced accuracy {100 / len(present):.2f} %. {verdict}"
    )


def balanced_accuracy(model: Model) -> float:
    """Return the unweighted mean of the accuracy per class, over classes with test images and trainings."""
    correct = model.correct.mean(axis=0)
    return float(np.mean([correct[model.actual == label].mean() for label in np.unique(model.actual)]))


def _lowest(model: Model) -> float:
    return accuracy_interval.wilson(round(model.correct.mean(axis=0).sum()), len(model.actual))[0]
