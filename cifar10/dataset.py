"""The splits train, validation and test: dividing, saving, loading."""

import numpy as np

from cifar10 import files, paths
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
    from sklearn.model_selection import train_test_split  # here, as its second of loading is for this alone

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


def save(name: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Write the split `train`, `validation` or `test`.

    Args:
        name: of the split.
        images: uint8 (N, 32, 32, 3).
        labels: int64 (N,).
    """
    for path, array in ((paths.images(name), images), (paths.labels(name), labels)):
        with files.replacing(path) as beside:
            np.save(beside, array)


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Open the split `train`, `validation` or `test` read-only; images come from the disk when they are used.

    Returns:
        Images uint8 (N, 32, 32, 3) and labels int64 (N,); N may be 0 for validation.

    Raises:
        UserError: it is not there.
    """
    try:
        images = np.load(paths.images(name), mmap_mode="r")
        return images, np.load(paths.labels(name))
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} not found: run the preprocess stage first") from None
