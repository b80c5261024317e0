"""Scores for OOD detection, called ID scores: a higher score is more like the training images (ID)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cifar10.evaluation.layer_distances import LayerStatistics

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # loads TensorFlow

PARTS = ("msp", "energy", "layers", "joint")  # ID scores that can be combined
NEIGHBOUR = 10  # k of the k-NN distance
CHUNK = 64  # rows of the memory bank per product; 256 kB for 1,000 features, which stay in the cache
RIDGE = 1e-6  # added to the diagonal of the covariance of the layers' distances


def msp(outputs: "Outputs") -> np.ndarray:
    """Maximum softmax probability (Hendrycks and Gimpel, ICLR 2017), float64 (N,)."""
    return outputs.probabilities.max(axis=1)


def energy(outputs: "Outputs") -> np.ndarray:
    """Negative energy, log of the sum of exp(logits) (Liu et al., NeurIPS 2020), float64 (N,)."""
    return np.logaddexp.reduce(outputs.logits, axis=1)


def knn(outputs: "Outputs", memory_bank: np.ndarray) -> np.ndarray:
    """Negative Euclidean distance to the NEIGHBOUR-th nearest of a memory bank (Sun et al., ICML 2022).

    Args:
        outputs: of N images; their features are normalised.
        memory_bank: float32 (M, D), from `unit`.

    Returns:
        float64 (N,).
    """
    near = min(NEIGHBOUR, len(memory_bank))
    similarity = products(unit(outputs.features), memory_bank)
    nearest = np.partition(similarity, -near, axis=1)[:, -near].astype(np.float64)
    return -np.sqrt(np.maximum(2 - 2 * nearest, 0))  # of unit vectors: distance² = 2 - 2 similarity


def products(features: np.ndarray, memory_bank: np.ndarray) -> np.ndarray:
    """Multiply features (N, D) with the rows of a memory bank (M, D), float32 (N, M).

    Images are multiplied one at a time. In a product of two matrices, BLAS chooses the order of sums by the
    number of rows and the position of a row, so the score of an image would depend on the other images.
    """
    chunks = [memory_bank[start : start + CHUNK] for start in range(0, len(memory_bank), CHUNK)]
    parts = [np.matmul(chunk, features[:, :, np.newaxis])[..., 0] for chunk in chunks]
    return np.concatenate(parts, axis=1)


def unit(features: np.ndarray) -> np.ndarray:
    """Normalise each row to length 1, float32 (N, D); rows of zeros stay zero."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(length, np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class LayerScores:
    """ID scores from the distances of each hidden layer, in comparison with those of validation images.

    A picture of no class can be too far from the training images, and also too near: plain pictures lack the
    variety of photographs. Both scores are therefore two-sided, as in tests of typicality (Nalisnick et al.,
    2019).

    Attributes:
        statistics: of the training images.
        centre: float64 (L,), mean over validation images of each layer's log distance.
        scale: float64 (L,), its standard deviation.
        inverse: float64 (L, L), inverse of the covariance of the standardised log distances.
    """

    statistics: LayerStatistics
    centre: np.ndarray
    scale: np.ndarray
    inverse: np.ndarray

    def deviations(self, outputs: "Outputs") -> np.ndarray:
        """Standardise the log distances, float64 (N, L)."""
        distances = self.statistics.distances(outputs.layers, len(outputs.logits))
        return (distances - self.centre) / self.scale

    def separate(self, deviations: np.ndarray) -> np.ndarray:
        """Score each layer for itself: the negative sum of squared deviations, float64 (N,)."""
        return -np.square(deviations).sum(axis=1)

    def joint(self, deviations: np.ndarray) -> np.ndarray:
        """Score the layers together: the negative squared Mahalanobis distance of the deviations, (N,)."""
        whitened = np.matmul(self.inverse, deviations[:, :, np.newaxis])[..., 0]
        return -(deviations * whitened).sum(axis=1)


def fit_layers(statistics: LayerStatistics, distances: np.ndarray) -> LayerScores:
    """Fit the scores of the layers to the log distances of validation images, float64 (V, L)."""
    centre, scale = distances.mean(axis=0), distances.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    standard = (distances - centre) / scale
    covariance = standard.T @ standard / max(len(standard), 1) + RIDGE * np.eye(standard.shape[1])
    return LayerScores(statistics, centre, scale, np.linalg.inv(covariance))


def part_scores(layers: LayerScores, outputs: "Outputs") -> dict[str, np.ndarray]:
    """Compute the ID scores of PARTS, float64 (N,) each."""
    deviations = layers.deviations(outputs)
    return {
        "msp": msp(outputs),
        "energy": energy(outputs),
        "layers": layers.separate(deviations),
        "joint": layers.joint(deviations),
    }


def combined(
    parts: Sequence[str], scores: Mapping[str, np.ndarray], references: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Sum the logarithms of the parts' p-values, float64 (N,)."""
    return np.sum([np.log(p_values(scores[part], references[part])) for part in parts], axis=0)


def p_values(scores: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return (1 + number of reference scores that are at most as high) / (1 + V), float64 (N,).

    Args:
        scores: (N,).
        reference: (V,), ascending.
    """
    return (1 + np.searchsorted(reference, scores, side="right")) / (1 + len(reference))
