"""Find dark, nearly one-coloured and blurred pictures, with integer arithmetic: the same on every machine."""

import math

import numpy as np

DARK = 20  # highest mean of the pixels of a dark picture, in grey levels of 255
ONE_COLOURED = 5  # highest standard deviation of the pixels of a nearly one-coloured picture, in grey levels
BLURRED = 0.05  # highest mean squared Laplacian of a blurred picture, as a share of the variance
KINDS = ("dark", "blurred", "one-coloured")
BLOCK = 4096 * 32 * 32  # pixels at once


def find(images: np.ndarray) -> dict[str, list[int]]:
    """List the positions of the pictures with a fault, by kind.

    Args:
        images: uint8 (N, H, W, 3), H and W at least 3.
    """
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    block = max(1, BLOCK // math.prod(images.shape[1:3]))
    for start in range(0, len(images), block):
        for kind, faulty in _faults(images[start : start + block]).items():
            found[kind] += (np.flatnonzero(faulty) + start).tolist()
    return found


def _faults(images: np.ndarray) -> dict[str, np.ndarray]:
    """Return bool (N,) by kind; grey is the sum of the colours, 0 to 765."""
    colours = images.reshape(len(images), -1, 3).astype(np.int64)
    pixels = colours.shape[1]
    grey = images.astype(np.int64).sum(axis=3)
    mean, squares = grey.sum(axis=(1, 2)), (grey**2).sum(axis=(1, 2))
    contrast = pixels * squares - mean**2  # variance times pixels**2
    spread = (pixels * (colours**2).sum(axis=1) - colours.sum(axis=1) ** 2).max(axis=1)
    one_coloured = spread <= (ONE_COLOURED * pixels) ** 2
    inner = grey[:, 1:-1, 1:-1]
    laplacian = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * inner
    flat = contrast <= (3 * ONE_COLOURED * pixels) ** 2  # too little contrast to judge the sharpness
    detail = (laplacian**2).sum(axis=(1, 2)) * pixels**2
    return {
        "dark": mean <= 3 * DARK * pixels,
        "blurred": (detail * 10_000 <= contrast * inner[0].size * round(10_000 * BLURRED)) & ~flat,
        "one-coloured": one_coloured,
    }
