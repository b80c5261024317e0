"""Augmentation of training images, drawn for each image from (seed, epoch, index of the image).

The draws do not depend on the batch size, on the order of the images or on earlier epochs, so a resumed
training sees the same pictures.
"""

from collections.abc import Callable, Sequence

import numpy as np

from cifar10 import image_size
from cifar10.errors import UserError
from cifar10.params import Augment

FLIP, SHIFT, CUTOUT = 1, 2, 3  # random streams; the order of the images has none
GREY = 128  # of the square that cutout covers

Read = Callable[[np.ndarray], np.ndarray]


def check(name: str, augment: Augment | None, shape: tuple[int, ...]) -> None:
    """Check that the augmentation of a model fits the size of the images.

    Raises:
        UserError: an image is shifted by its whole length, or a square is larger than an image.
    """
    limits = {"shift": min(shape[:2]) - 1, "cutout": max(shape[:2])}
    for option, most in limits.items():
        if augment and getattr(augment, option) > most:
            raise UserError(
                f"params.yaml: models.{name}.augment.{option}: got {getattr(augment, option)}, expected at "
                f"most {most}: the images have {image_size.described(shape)} pixels"
            )


def reader(images: np.ndarray, augment: Augment | None, seed: int, epoch: int) -> Read:
    """Prepare to read images of an epoch.

    Args:
        images: uint8 (N, H, W, C); may be a memory map.
        augment: None to read images as they are.
        seed: of the training.
        epoch: from 1.

    Returns:
        A function of integer indices of any shape (...). It returns new uint8 (..., H, W, C): shifted with
        reflection at the border, flipped, then cut out.
    """
    if augment is None:
        return lambda indices: images[indices]
    count, *size = images.shape[:3]
    flips = flipped(augment.flip, count, seed, epoch)
    shifts = np.random.default_rng([seed, epoch, SHIFT]).integers(
        -augment.shift, augment.shift, (2, count), np.int8, endpoint=True
    )
    centres = _centres(count, size, np.random.default_rng([seed, epoch, CUTOUT]))

    def read(indices: np.ndarray) -> np.ndarray:
        chosen = indices.ravel()
        found = moved(images, chosen, shifts[:, chosen], flips[chosen])
        if augment.cutout:
            cut(found, centres[:, chosen], augment.cutout)
        return found.reshape(*indices.shape, *images.shape[1:])

    return read


def _centres(count: int, size: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """Draw a place in each image, int (2, count): row and column."""
    kind = np.int8 if max(size) <= 128 else np.int16
    if size[0] == size[1]:
        return random.integers(0, size[0], (2, count), kind)
    return np.array([random.integers(0, length, count, kind) for length in size])


def flipped(flip: str | None, count: int, seed: int, epoch: int) -> np.ndarray:
    """Choose the images of an epoch that are mirrored, bool (count,).

    Args:
        flip: `horizontal`: each image with probability 1/2 in each epoch. `alternating`: every second epoch;
            the first one is drawn for each image (Jordan, 94 % on CIFAR-10 in 3.29 Seconds on a Single GPU,
            2024). None: no image.
        count: number of images.
        seed: of the training.
        epoch: from 1.
    """
    if flip is None:
        return np.zeros(count, bool)
    drawn_in, later = (0, epoch) if flip == "alternating" else (epoch, 0)
    drawn = np.random.default_rng([seed, drawn_in, FLIP]).integers(0, 2, count, np.int8)
    return (drawn + later % 2) % 2 == 1


def moved(images: np.ndarray, chosen: np.ndarray, shifts: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """Shift images by whole pixels, then mirror some of them. The border reflects.

    Args:
        images: uint8 (N, H, W, C).
        chosen: int (M,), indices of images.
        shifts: int (2, M), down and right, in pixels; less than H and W.
        flips: bool (M,).

    Returns:
        uint8 (M, H, W, C).
    """
    height, width = images.shape[1:3]
    down, right = shifts.astype(np.int64)
    rows = images.reshape(-1, *images.shape[2:])  # (N * H, W, C): one copy shifts down
    found = rows[chosen[:, np.newaxis].astype(np.int64) * height + reflected(height, down)]
    columns = reflected(width, right)
    columns[flips] = columns[flips, ::-1]
    alike = right * 2 + flips
    for kind in np.unique(alike[alike != 0]):  # images with equal columns, all at once
        same = np.flatnonzero(alike == kind)
        found[same] = found[same].take(columns[same[0]], axis=2)
    return found


def reflected(size: int, shifts: np.ndarray) -> np.ndarray:
    """Return where the pixels of a shifted axis come from, int64 (M, size); the border is not repeated.

    Args:
        size: pixels of the axis.
        shifts: int (M,), at most size - 1.
    """
    places = np.abs(np.arange(size) - shifts[:, np.newaxis])
    return np.where(places < size, places, 2 * (size - 1) - places)


def cut(images: np.ndarray, centres: np.ndarray, side: int) -> None:
    """Cover a square of each image with grey, in place; beyond the border it is cut off.

    DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017.

    Args:
        images: uint8 (M, H, W, C).
        centres: int (2, M): row and column.
        side: of the square, in pixels.
    """
    first = centres.astype(np.int64) - side // 2
    corners = [*np.maximum(first, 0).tolist(), *(first + side).tolist()]
    for image, top, left, bottom, right in zip(images, *corners, strict=True):
        image[top:bottom, left:right] = GREY
