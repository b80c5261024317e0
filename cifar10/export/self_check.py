"""Compare an export with its model, on the same images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cifar10 import image_size, paths
from cifar10.compare.paired import difference_interval
from cifar10.data import dataset
from cifar10.errors import UserError

MOST = 500  # test images
RANDOM = 100  # random images, where there are no test images
CALIBRATION = 100  # validation images, for the ranges of 8-bit values
LARGEST = 1e-3  # difference of a probability with float32 weights, above which nothing is written


@dataclass(frozen=True)
class Sample:
    """Images to compare on, uint8 (N, H, W, 3), and their labels, int64 (N,), or None for random images."""

    images: np.ndarray
    labels: np.ndarray | None


def sample(size: tuple[int, int]) -> Sample:
    """Return up to MOST test images, evenly spaced; random ones without test images, as after `make pull`.

    Args:
        size: height and width of the model's images, in pixels.

    Raises:
        UserError: the test images have another size.
    """
    try:
        split = dataset.load("test")
    except UserError:
        shape = (RANDOM, *size, 3)
        return Sample(np.random.default_rng(0).integers(0, 256, shape, np.uint8), None)
    indices = _spaced(len(split.labels), MOST)
    return Sample(_of_size(split.images[indices], size), split.labels[indices])


def calibration(size: tuple[int, int]) -> np.ndarray:
    """Return up to CALIBRATION validation images, or training images if there are none.

    Args:
        size: as for `sample`.

    Raises:
        UserError: the splits do not exist, or their images have another size.
    """
    splits = [dataset.load(name) for name in ("validation", "train")]
    images = next(split.images for split in splits if len(split.labels))
    return _of_size(images[_spaced(len(images), CALIBRATION)], size)


def _of_size(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if images.shape[1:3] != size:
        raise UserError(
            f"{paths.PROCESSED} has images of {image_size.described(images.shape[1:])} pixels, "
            f"the model takes {image_size.described(size)}: run `dvc repro`"
        )
    return np.array(images)


def _spaced(count: int, most: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def compare(chosen: Sample, expected: np.ndarray, run: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    """Compare the probabilities of an export with those of the model.

    Args:
        chosen: the images.
        expected: float (N, K), of the model.
        run: from `runtimes.load`.

    Returns:
        images (count), kind ("test" | "random"), largest_difference (of a probability); with labels, accuracy
        of the export, accuracy_before of the model, change, and interval, 95 %, of the change.
    """
    found = run(chosen.images)
    result: dict[str, Any] = {
        "images": len(expected),
        "kind": "random" if chosen.labels is None else "test",
        "largest_difference": float(np.abs(found - expected).max()),
    }
    if chosen.labels is None:
        return result
    before, after = (each.argmax(axis=1) == chosen.labels for each in (expected, found))
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
    return result | {
        "accuracy": float(after.mean()),
        "accuracy_before": float(before.mean()),
        "change": (gained - lost) / len(before),
        "interval": [*difference_interval(lost, gained, len(before))],
    }


def check(found: Mapping[str, Any]) -> None:
    """Raise UserError if an export with float32 weights differs by more than LARGEST, or gives no number."""
    if not found["largest_difference"] <= LARGEST:
        raise UserError(
            f"a probability of the export differs from the model's by {found['largest_difference']:.2g}, "
            f"expected at most {LARGEST:g}: nothing is written; choose another --format"
        )


def words(found: Mapping[str, Any], int8: bool) -> list[str]:
    """Describe a comparison, a line each."""
    images = f"{found['images']} {found['kind']} images"
    lines = [f"{images}: largest difference of a probability {found['largest_difference']:.2g}"]
    if int8 and "change" in found:
        low, high = (f"{100 * each:+.2f}" for each in found["interval"])
        lines.append(
            f"int8: accuracy {100 * found['accuracy']:.2f} %, before {100 * found['accuracy_before']:.2f} %: "
            f"change {100 * found['change']:+.2f} points (95 % interval {low} to {high})"
        )
    return lines
