"""Probabilities from the scores of a network's last layer, and their loss."""

import numpy as np


def normalize(scores: np.ndarray) -> np.ndarray:
    """Turn the scores of the output layer into probabilities, p_k = s_k / sum(s).

    A sigmoid layer is trained with cross-entropy of these normalised scores; the scores of a softmax layer
    already sum to 1. The sum is in float64.

    Args:
        scores: float (N, K), non-negative.

    Returns:
        float64 (N, K), rows sum to 1; a row of zeros becomes 1 / K.
    """
    scores = scores.astype(np.float64)
    total = scores.sum(axis=1, keepdims=True)
    return np.divide(scores, total, out=np.full_like(scores, 1 / scores.shape[1]), where=total > 0)


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of -log p of the true class, in nats; p is clipped at 1e-7, as in Keras.

    Args:
        probabilities: float (N, K), rows sum to 1.
        labels: int (N,), 0 to K - 1.
    """
    true = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(true, 1e-7, 1)).mean())
