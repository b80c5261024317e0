"""Divide the training images into those to train with and those to validate with."""

import numpy as np
from sklearn.model_selection import train_test_split

from cifar10.errors import UserError


def split(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a share of the training images for validation, evenly from every class.

    Args:
        labels: int (N,), of the training images.
        fraction: 0 (none) to below 1.
        seed: the same draws the same.

    Returns:
        Indices into `labels` to train with and to validate with, each ascending, so the order is kept.

    Raises:
        UserError: a class is too small to have images in both.
    """
    everything = np.arange(len(labels))
    if fraction == 0:
        return everything, everything[:0]
    try:
        parts = train_test_split(everything, test_size=fraction, stratify=labels, random_state=seed)
        train, validation = (np.sort(part) for part in parts)
    except ValueError:  # it names its own arguments, not the user's
        raise _too_few(labels, fraction) from None
    if not np.array_equal(np.unique(labels[train]), np.unique(labels[validation])):
        raise _too_few(labels, fraction)
    return train, validation


def _too_few(labels: np.ndarray, fraction: float) -> UserError:
    fewest = np.unique(labels, return_counts=True)[1].min()
    return UserError(
        f"data.validation_fraction: {fraction:g} leaves a class without training or validation images, "
        f"the smallest has {fewest}: add images or set it to 0"
    )
