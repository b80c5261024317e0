"""Training images that a network finds most similar to an image."""

import numpy as np

IMAGES = 1000  # training images that are compared, chosen at random: all would double the time of `evaluate`
NEAREST = 6
DECIMALS = 4  # of a similarity; further ones depend on the processor


def sample(count: int) -> np.ndarray:
    """Choose at most IMAGES training images of `count` for the comparison: ascending indices, int64."""
    return np.sort(np.random.default_rng(0).permutation(count)[:IMAGES])


def nearest(features: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the features with the highest cosine similarity; of equal ones, the first.

    Args:
        features: float32 (D,), of one image, from `features.feature_extractor`.
        others: float32 (M, D), of other images.

    Returns:
        Rows of `others`, int64 (at most NEAREST,), the most similar first, and their similarities, float64,
        -1 to 1. A row of zeros has the similarity 0.
    """
    one, many = features.astype(np.float64), others.astype(np.float64)
    lengths = np.sqrt((one * one).sum() * (many * many).sum(axis=1))
    similarity = ((many * one).sum(axis=1) / np.where(lengths > 0, lengths, 1)).round(DECIMALS)
    order = np.argsort(-similarity, kind="stable")[:NEAREST]
    return order, similarity[order]
