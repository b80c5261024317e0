"""Pseudo-OOD images, for choosing the ID scores that a detector combines."""

import numpy as np
from PIL import Image

from cifar10.data.dataset import Split
from cifar10.training import outlier_kinds

TILE = 8  # pixels, the side of a tile of a puzzle
MOST = 500  # pseudo-OOD images of a kind
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
        images: uint8 (N, S, S, 3); S is a multiple of 8.
        labels: int (N,).

    Returns:
        uint8 (M, S, S, 3) by kind, with M at most N and MOST: `blends`, means of two images of different
        classes; `puzzles`, images with their 8x8 tiles shuffled; `clouds`, smooth random colours; and KINDS.
    """
    random, size = np.random.default_rng(0), images.shape[1]
    chosen = np.sort(random.permutation(len(images))[:MOST])
    images, labels = images[chosen], labels[chosen]
    partner = random.permutation(len(images))
    differ = labels != labels[partner]
    blends = (images[differ].astype(np.uint16) + images[partner[differ]]) // 2
    coarse = random.integers(0, 256, (len(images), 4, 4, 3), np.uint8)
    clouds = [
        np.asarray(Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC))
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
    across = images.shape[1] // TILE
    tiles = (
        images.reshape(-1, across, TILE, across, TILE, 3).swapaxes(2, 3).reshape(-1, across**2, TILE, TILE, 3)
    )
    shuffled = random.permuted(np.tile(np.arange(across**2), (len(images), 1)), axis=1)
    mixed = np.take_along_axis(tiles, shuffled[..., None, None, None], axis=1)
    return mixed.reshape(-1, across, across, TILE, TILE, 3).swapaxes(2, 3).reshape(images.shape)
