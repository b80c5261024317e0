"""The size of the images: height and width in pixels."""

from collections.abc import Sequence
from typing import Any

SMALLEST, LARGEST = 16, 1024  # pixels of a side
CIFAR10 = (32, 32)  # of the images of CIFAR-10, and of the digits


def parse(value: Any) -> tuple[int, int]:
    """Return height and width.

    Args:
        value: one number for both, or [height, width].

    Raises:
        ValueError: it is something else, or a side is out of range.
    """
    sides = [value, value] if isinstance(value, int) else value
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        raise ValueError("expected a number of pixels, or [height, width]")
    if not all(type(side) is int and SMALLEST <= side <= LARGEST for side in sides):
        raise ValueError(f"expected {SMALLEST} to {LARGEST} pixels, as a number or [height, width]")
    return sides[0], sides[1]


def described(size: Sequence[int | None]) -> str:
    """Write a size, or the shape of an image, as height x width, such as `32x32`."""
    return "x".join(map(str, size[:2]))
