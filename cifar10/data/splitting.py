"""Split the training images into training and validation images."""

import numpy as np
from sklearn.model_selection import train_test_split

from cifar10.errors import UserError


def split(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a fraction of the training images for validation, stratified by class.

    Args:
        labels: int (N,), labels of the training images.
        fraction: from 0 (no validation) to below 1.
        seed: seed of the draw.

    Returns:
        Indices into `labels` of the training and of the validation images, both ascending.

    Raises:
        UserError: a class is too small for both splits.
    """
    everything = np.arange(len(labels))
    if fraction == 0:
        return everything, everything[:0]
    try:
        parts = train_test_split(everything, test_size=fraction, stratify=labels, random_state=seed)
        train, validation = (np.sort(part) for part in parts)
    except ValueError:  # its message names scikit-learn's arguments
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
