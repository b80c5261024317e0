"""Save and load the train, validation and test splits."""

from dataclasses import dataclass

import numpy as np

from cifar10 import files, paths
from cifar10.errors import UserError


@dataclass(frozen=True)
class Split:
    """Images, uint8 (N, 32, 32, 3), and labels, int64 (N,): indices into `class_names()`."""

    images: np.ndarray
    labels: np.ndarray


def save(name: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Write a split.

    Args:
        name: `train`, `validation` or `test`.
        images: uint8 (N, 32, 32, 3).
        labels: int64 (N,).
    """
    for path, array in ((paths.images(name), images), (paths.labels(name), labels)):
        with files.replacing(path) as beside:
            np.save(beside, array)


def load(name: str) -> Split:
    """Open the split `train`, `validation` or `test` read-only; the images are memory-mapped.

    Raises:
        UserError: the split does not exist.
    """
    try:
        return Split(np.load(paths.images(name), mmap_mode="r"), np.load(paths.labels(name)))
    except FileNotFoundError as error:
        raise missing(error) from None


def class_names() -> list[str]:
    """Read the class names, in the order of the labels.

    Raises:
        UserError: the file does not exist.
    """
    try:
        return files.read_json(paths.CLASSES)
    except FileNotFoundError as error:
        raise missing(error) from None


def missing(error: FileNotFoundError) -> UserError:
    """Return the error for a file of data/processed that does not exist."""
    return UserError(f"{error.filename} not found: run `dvc repro` to make it")
