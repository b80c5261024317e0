"""Mahalanobis distances of an image's features, layer by layer, from those of training images.

One Gaussian per layer, without classes, over the means of a layer's outputs over the picture: Lee et al., A
Simple Unified Framework for Detecting Out-of-Distribution Samples, NeurIPS 2018, with one mean per layer in
place of one per class. The covariance is shrunk (Ledoit and Wolf, 2004).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SMALLEST = 1e-12  # of a squared distance, whose logarithm is taken


@dataclass(frozen=True)
class LayerStatistics:
    """Mean and covariance of the features of L layers.

    Attributes:
        means: float64 (D,) of each layer.
        factors: float32 (D, D) of each layer: the inverse of the Cholesky factor of the covariance.
    """

    means: Sequence[np.ndarray]
    factors: Sequence[np.ndarray]

    def distances(self, layers: Sequence[np.ndarray], count: int) -> np.ndarray:
        """Compute the logarithm of the squared Mahalanobis distance in each layer, float64 (N, L).

        Images are multiplied one at a time: the distances of an image do not depend on the other images.

        Args:
            layers: float32 (N, D) of each layer.
            count: N, also for a network without hidden layers.
        """
        columns = []
        for features, mean, factor in zip(layers, self.means, self.factors, strict=True):
            centred = features.astype(np.float64) - mean
            whitened = np.matmul(factor.astype(np.float64), centred[:, :, np.newaxis])[..., 0]
            columns.append(np.log(np.maximum(np.square(whitened).sum(axis=1), SMALLEST)))
        return np.stack(columns, axis=1) if columns else np.zeros((count, 0))


def fit(layers: Sequence[np.ndarray]) -> LayerStatistics:
    """Fit the statistics to features of training images.

    Args:
        layers: float32 (N, D) of each layer, for N >= 1 images.
    """
    from sklearn.covariance import ledoit_wolf  # takes 0.3 s; only `evaluate` fits

    means, factors = [], []
    for features in layers:
        exact = features.astype(np.float64)
        means.append(exact.mean(axis=0))
        covariance = ledoit_wolf(exact)[0] if len(exact) > 1 else np.zeros((exact.shape[1],) * 2)
        floor = max(float(np.trace(covariance)) / len(covariance) * 1e-6, SMALLEST)
        lower = np.linalg.cholesky(covariance + floor * np.eye(len(covariance)))
        factors.append(np.linalg.inv(lower).astype(np.float32))
    return LayerStatistics(means, factors)
