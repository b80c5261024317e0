"""Outlier exposure: synthetic outliers in each batch, for which a network learns equal probabilities.

Hendrycks et al., Deep Anomaly Detection with Outlier Exposure, ICLR 2019. There the outliers are photographs
of other classes; here they are synthetic (`outlier_kinds`), so no data are needed and no OOD dataset of the
evaluation takes part.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from cifar10.data.dataset import Split
from cifar10.params import Augment
from cifar10.training import augmentation, outlier_kinds

LABEL = -1  # of an outlier; classes count from 0
STREAM = 4  # of random numbers; `augmentation` has 1 to 3
LEAST, MOST = 1000, 150_000_000  # pictures, bytes of a pool

Read = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def pool(training: Split, augment: Augment | None, seed: int) -> np.ndarray | None:
    """Make the outliers of a training, uint8 (P, H, W, 3); None without the option `outliers`.

    P is the number of training images, at least LEAST, at most MOST bytes. A third is grey, a third is
    blurred.

    Args:
        training: training images; some outliers are made of these.
        augment: of the model.
        seed: of the training.
    """
    if augment is None or not augment.outliers:
        return None
    random = np.random.default_rng([seed, STREAM])
    shape = training.images.shape[1:]
    count = min(max(len(training.labels), LEAST), MOST // int(np.prod(shape)))
    made = np.empty((count, *shape), np.uint8)
    for index in range(count):
        kind = outlier_kinds.KINDS[index % len(outlier_kinds.KINDS)]
        made[index] = _varied(kind(training, random), random)
    return made


def _varied(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Make some pictures grey (ITU-R BT.601) and blur some."""
    grey, blurred = random.integers(0, 3, 2)
    if grey == 0:
        luma = picture.astype(np.int64) @ np.array([299, 587, 114]) // 1000
        picture = np.repeat(luma[..., np.newaxis], 3, axis=2).astype(np.uint8)
    if blurred == 0:
        radius = int(random.integers(2, 7)) / 4
        picture = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))
    return picture


def weight(augment: Augment | None) -> float | None:
    """Return the weight of the outliers' mean loss in the loss of a step; None without outliers."""
    return augment.outlier_weight if augment and augment.outliers else None


def count(batch: int, share: float) -> int:
    """Return the number of outliers for a batch of images: at least one."""
    return max(1, round(share * batch))


def reader(
    training: Split, augment: Augment | None, outliers: np.ndarray | None, seed: int, epoch: int
) -> Read:
    """Prepare to read batches of an epoch: augmented images, then outliers.

    Which outliers a batch has depends on seed, epoch and the indices of its images.

    Args:
        training: training images.
        augment: of the model.
        outliers: from `pool`.
        seed: of the training.
        epoch: from 1.

    Returns:
        A function of int (steps, batch size) indices. It returns uint8 (steps, M, H, W, 3) and int (steps, M)
        labels; M is the batch size and the number of outliers, whose label is LABEL.
    """
    read = augmentation.reader(training.images, augment, seed, epoch)
    if augment is None or outliers is None:
        return lambda indices: (read(indices), training.labels[indices])
    share = augment.outliers
    drawn = np.random.default_rng([seed, epoch, STREAM]).integers(0, len(outliers), len(training.labels))

    def both(indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        added = drawn[indices[:, : count(indices.shape[1], share)]]
        images = np.concatenate([read(indices), outliers[added]], axis=1)
        labels = np.concatenate([training.labels[indices], np.full(added.shape, LABEL)], axis=1)
        return images, labels

    return both
