"""Pseudo-OOD images, for choosing the ID scores that a detector combines."""

import math

import numpy as np
from PIL import Image

from cifar10.data.dataset import Split
from cifar10.training import outlier_kinds

TILE = 8  # pixels, the side of a tile of a puzzle
MOST, BYTES = 500, 50_000_000  # pseudo-OOD images of a kind; of large images there are fewer
KINDS = [  # of synthetic outliers that differ from blends, puzzles and clouds
    outlier_kinds.collage,
    outlier_kinds.scramble,
    outlier_kinds.noise,
    outlier_kinds.waves,
    outlier_kinds.shapes,
    outlier_kinds.strokes,
]


def make(images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Make OOD images from ID images and random numbers; no image of an OOD dataset takes part.

    Args:
        images: uint8 (N, H, W, 3).
        labels: int (N,).

    Returns:
        uint8 (M, H, W, 3) by kind, with M at most N and MOST: `blends`, means of two images of different
        classes; `puzzles`, images with their 8x8 tiles shuffled (a side that is
        no multiple of 8 has a rest, which stays); `clouds`, smooth random colours; and KINDS.
    """
    random, (height, width) = np.random.default_rng(0), images.shape[1:3]
    most = min(MOST, max(1, BYTES // math.prod(images.shape[1:])))
    chosen = np.sort(random.permutation(len(images))[:most])
    images, labels = images[chosen], labels[chosen]
    partner = random.permutation(len(images))
    differ = labels != labels[partner]
    blends = (images[differ].astype(np.uint16) + images[partner[differ]]) // 2
    coarse = random.integers(0, 256, (len(images), 4, 4, 3), np.uint8)
    clouds = [
        np.asarray(Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC))
        for colours in coarse
    ]
    both = Split(images, labels)
    return {
        "blends": blends.astype(np.uint8),
        "puzzles": _puzzles(images, random),
        "clouds": np.array(clouds),
        **{kind.__name__: np.array([kind(both, random) for _ in images]) for kind in KINDS},
    }


def _puzzles(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shuffle the tiles of each image."""
    down, across = (side // TILE for side in images.shape[1:3])
    whole = images.copy()
    cut = whole[:, : down * TILE, : across * TILE]
    grid = (-1, down, across, TILE, TILE, 3)
    tiles = cut.reshape(-1, down, TILE, across, TILE, 3).swapaxes(2, 3)
    tiles = tiles.reshape(-1, down * across, TILE, TILE, 3)
    shuffled = random.permuted(np.tile(np.arange(down * across), (len(images), 1)), axis=1)
    mixed = np.take_along_axis(tiles, shuffled[..., None, None, None], axis=1)
    cut[:] = mixed.reshape(grid).swapaxes(2, 3).reshape(cut.shape)
    return whole
