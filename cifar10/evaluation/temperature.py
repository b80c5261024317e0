"""Temperature scaling: one number per model that makes its probabilities agree with its accuracy.

Guo et al., On Calibration of Modern Neural Networks, ICML 2017. Probabilities p become p^(1/T), divided by
their sum. For a softmax layer this equals the softmax of logits / T. The probabilities of a sigmoid layer are
its scores divided by their sum, as in its loss; T acts on the logarithms of these.

For an ensemble, T is fitted to the mean of the probabilities: the mean is less confident than each training,
so that scaling each of them first makes the mean underconfident.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from cifar10.evaluation.ensemble import mean_probabilities
from cifar10.training.probabilities import cross_entropy

LOWEST, HIGHEST = 0.05, 20.0  # of T
LEAST = 100  # validation images; with fewer, T is 1
DIGITS = 4  # of T after the point; the other digits are those of the search


class Validation(NamedTuple):
    """Predictions for the V validation images of a training; V may be 0.

    Attributes:
        labels: int64 (V,).
        probabilities: float32 (V, K), rows sum to 1.
    """

    labels: np.ndarray
    probabilities: np.ndarray

    def is_of(self, classes: int) -> bool:
        """Check types, shapes and ranges of what a file holds, for this number of classes."""
        labels, probabilities = self
        if labels.dtype != np.int64 or probabilities.dtype != np.float32 or labels.ndim != 1:
            return False
        if not len(labels):
            return True
        return probabilities.shape == (len(labels), classes) and bool(
            ((labels >= 0) & (labels < classes)).all() and ((probabilities >= 0) & (probabilities <= 1)).all()
        )


NONE = Validation(np.zeros(0, np.int64), np.zeros((0, 0), np.float32))


def scaled(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Scale probabilities, float64 (N, K); the order of the classes stays.

    Args:
        probabilities: float (N, K), rows sum to 1.
        temperature: T, positive. 1 changes nothing, more makes the probabilities more equal.
    """
    if temperature == 1:
        return probabilities
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(trainings: Sequence[Validation]) -> float | None:
    """Return the T with the lowest cross-entropy of the mean probabilities on validation images.

    Args:
        trainings: of a model, at least one, on the same images.

    Returns:
        T from LOWEST to HIGHEST; None with fewer than LEAST images, or if the images differ.
    """
    labels = trainings[0].labels
    if len(labels) < LEAST or not all(np.array_equal(labels, each.labels) for each in trainings):
        return None
    mean = mean_probabilities([each.probabilities for each in trainings])

    def loss(log_temperature: float) -> float:
        return cross_entropy(scaled(mean, np.exp(log_temperature)), labels)

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return round(float(np.exp(found.x)), DIGITS)


def measured(
    trainings: Sequence[Validation], probabilities: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    """Measure scaled probabilities on test images.

    Args:
        trainings: as for `fit`.
        probabilities: float (N, K) of the test images: the mean over the trainings, not scaled.
        labels: int (N,).

    Returns:
        `calibrated`: temperature, calibration_error and loss after scaling; empty if `fit` finds none.
    """
    from cifar10.evaluation import metrics  # takes a second; an answer for a new picture needs `fit` only

    temperature = fit(trainings)
    if temperature is None:
        return {}
    after = scaled(probabilities, temperature)
    return {
        "calibrated": {
            "temperature": temperature,
            "calibration_error": metrics.calibration_error(after, labels),
            "loss": cross_entropy(after, labels),
        }
    }
