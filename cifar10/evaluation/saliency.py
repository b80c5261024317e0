"""Saliency maps as arrays of 8 bits, and as pictures."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

SHOWN = 128  # pixels, the longest side of a picture with a map, if the image is smaller
COLOUR = np.array([255, 96, 0])  # orange
STRONGEST = 0.75  # share of COLOUR where a map is 255
GREY = np.array([299, 587, 114])  # thousandths of red, green and blue: luma of ITU-R BT.601


def quantized(values: np.ndarray) -> np.ndarray:
    """Scale a map so that its largest value becomes 255; a map of zeros stays zero.

    Args:
        values: float32 (H, W), not negative.

    Returns:
        uint8 (H, W).
    """
    largest = np.float64(values.max(initial=0))
    scaled = values.astype(np.float64) / largest if largest > 0 else np.zeros(values.shape)
    return np.rint(255 * scaled).astype(np.uint8)


def mean(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Average the maps of several trainings, uint8 (N, H, W) each; every training counts equally."""
    total = np.sum([each.astype(np.int64) for each in maps], axis=0)
    return np.array([quantized(each) for each in total], np.uint8).reshape(total.shape)


def enlarged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Interpolate a map, uint8 (H, W), bilinearly to uint8 (height, width)."""
    height, width = size
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))


def overlay(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Draw a map over an image: grey where the map is 0, more orange where it is higher.

    Args:
        image: uint8 (H, W, 3).
        values: uint8 map of any size.

    Returns:
        uint8 (S H, S W, 3); S is 4 for images of 32x32 pixels, 1 for large ones.
    """
    scale = max(1, SHOWN // max(image.shape[:2]))
    grey = (image @ GREY // 1000).repeat(scale, axis=0).repeat(scale, axis=1)[..., None]
    share = STRONGEST * enlarged(values, grey.shape[:2])[..., None] / 255
    return np.rint((1 - share) * grey + share * COLOUR).astype(np.uint8)
