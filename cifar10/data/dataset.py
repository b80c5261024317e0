"""Save and load the train, validation and test splits."""

import mmap
from dataclasses import dataclass

import numpy as np

from cifar10 import files, paths
from cifar10.errors import UserError

AT_ONCE = 100  # images that `save` copies
LARGE = 250_000_000  # bytes of images; of smaller splits, all may stay in memory


@dataclass(frozen=True)
class Split:
    """Images, uint8 (N, H, W, 3), and labels, int64 (N,): indices into `class_names()`."""

    images: np.ndarray
    labels: np.ndarray


def save(name: str, images: np.ndarray, labels: np.ndarray, chosen: np.ndarray | None = None) -> None:
    """Write a split. The images are copied in parts, so a memory map of them takes no memory.

    Args:
        name: `train`, `validation` or `test`.
        images: uint8 (N, H, W, 3).
        labels: int64 (N,).
        chosen: indices of the images of the split, in order; None for all.
    """
    chosen = np.arange(len(labels)) if chosen is None else chosen
    with files.replacing(paths.images(name)) as beside, beside.open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(images[:0])
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (len(chosen), *images.shape[1:])})
        for start in range(0, len(chosen), AT_ONCE):
            file.write(images[chosen[start : start + AT_ONCE]].tobytes())
    with files.replacing(paths.labels(name)) as beside:
        np.save(beside, labels[chosen])


def load(name: str) -> Split:
    """Open the split `train`, `validation` or `test` read-only; the images are memory-mapped.

    Raises:
        UserError: the split does not exist.
    """
    try:
        return Split(np.load(paths.images(name), mmap_mode="r"), np.load(paths.labels(name)))
    except FileNotFoundError as error:
        raise missing(error) from None


def release(images: np.ndarray) -> None:
    """Give back the memory of what was read from a large memory map; the system's cache keeps the file.

    Args:
        images: of a split, or any array.
    """
    mapped = getattr(images, "_mmap", None)
    if mapped is not None and images.nbytes > LARGE and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


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
