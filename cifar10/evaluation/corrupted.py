"""Corrupted test images: they still show their class, so a detector should accept most of them.

All operations use integers, apart from Pillow's blur, and give the same bytes everywhere.
"""

import io
import math

import numpy as np
from PIL import Image, ImageFilter

IMAGES = 1000  # of the test images, chosen at random; fewer large ones
MOST = 1000 * 64 * 64 * 3  # bytes of each kind, unless one image is larger
QUALITY = 30  # of the JPEG files
RADIUS = 1  # of the Gaussian blur, pixels
DRAWS, LARGEST = 4, 21  # of the noise: a sum of 4 integers from -21 to 21 is nearly normal, its sd is 24.8


def make(images: np.ndarray) -> dict[str, np.ndarray]:
    """Corrupt at most IMAGES of N images in four ways.

    Args:
        images: uint8 (N, H, W, 3).

    Returns:
        uint8 (M, H, W, 3) by kind, of the same M images in each, at most MOST bytes: `jpeg`, `blur`,
        `contrast` (half the distance of every value from the picture's mean), `noise` (of each value).
    """
    random = np.random.default_rng(0)
    count = min(IMAGES, max(1, MOST // math.prod(images.shape[1:])))
    chosen = images[np.sort(random.permutation(len(images))[:count])]
    means = chosen.sum(axis=(1, 2, 3), keepdims=True, dtype=np.int64) // math.prod(images.shape[1:])
    wide = chosen.astype(np.int16)
    noise = random.integers(-LARGEST, LARGEST, (DRAWS, *chosen.shape), np.int8, endpoint=True)
    pictures = [Image.fromarray(image) for image in chosen]
    blur = ImageFilter.GaussianBlur(RADIUS)
    return {
        "jpeg": np.array([_jpeg(picture) for picture in pictures], np.uint8).reshape(chosen.shape),
        "blur": np.array([picture.filter(blur) for picture in pictures], np.uint8).reshape(chosen.shape),
        "contrast": ((wide + means.astype(np.int16)) // 2).astype(np.uint8),
        "noise": np.clip(wide + noise.sum(axis=0, dtype=np.int16), 0, 255).astype(np.uint8),
    }


def dataset(kind: str) -> str:
    """Return the name of the corrupted images in tables of ID scores."""
    return f"test_{kind}"


def _jpeg(picture: Image.Image) -> np.ndarray:
    """Save a picture as JPEG, and read it."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    with Image.open(file) as again:
        return np.asarray(again)
