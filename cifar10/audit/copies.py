"""Find exact copies and near-copies (scaled, recompressed, mirrored) among pictures.

All comparisons use integers, or floats that hold integers below 2**24 exactly: every machine finds the same
pairs. Near-copies are found in two steps: pairs whose 8x8 grey thumbnails correlate, then those whose 16x16
colour thumbnails differ by little.
"""

import hashlib
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from cifar10.audit.joined import Joined

CELLS = 8  # thumbnail side of the first step
SCALE = 2000  # length of a descriptor; a product of two is at most about SCALE**2 < 2**24
CORRELATION = 0.98  # lowest correlation of the 8x8 thumbnails
DIFFERENCE = 150  # highest mean squared difference of the 16x16 thumbnails, in squared grey levels
RELATIVE = 0.15  # highest mean squared difference, as a share of the variance of the thumbnail
BLOCK = 2048  # pictures compared at once: 16 MiB of products
PAIRED = 1 << 14  # pairs compared at once in the second step


class Pair(NamedTuple):
    """Two copies, `first` < `second`: positions of the pictures, and equal, near or mirrored."""

    first: int
    second: int
    kind: str


def find(images: np.ndarray | Joined) -> list[Pair]:
    """Find all pairs of copies, in the order of the positions.

    Of several equal pictures, each is paired with the first one only, and near-copies are looked for among
    the first ones.

    Args:
        images: uint8 (N, H, W, 3), H and W at least 16.

    Returns:
        A pair is `equal` if all pixels are, otherwise `mirrored` or `near`.
    """
    first = _first_equal(images)
    distinct = np.flatnonzero(first == np.arange(len(images)))
    pairs = [
        Pair(int(first[index]), int(index), "equal")
        for index in np.flatnonzero(first < np.arange(len(images)))
    ]
    grids = np.concatenate([_cells(images[part], 16) for part in _parts(distinct, images.shape)])
    described, mirrored = (
        np.concatenate(
            [_descriptors(turned[start : start + BLOCK]) for start in range(0, len(turned), BLOCK)]
        )
        for turned in (grids, grids[:, :, ::-1])
    )
    found: dict[tuple[int, int], str] = {}
    for kind, others in (("near", described), ("mirrored", mirrored)):
        for rows, columns in _correlated(described, others):
            turned = grids[columns][:, :, ::-1] if kind == "mirrored" else grids[columns]
            close = _is_close(grids[rows], turned)
            for pair in zip(distinct[rows[close]].tolist(), distinct[columns[close]].tolist(), strict=True):
                found.setdefault(pair, kind)
    return sorted([*pairs, *(Pair(*pair, kind) for pair, kind in found.items())])


def _first_equal(images: np.ndarray | Joined) -> np.ndarray:
    """Return for each picture the position of the first one with the same pixels, int64 (N,)."""
    seen: dict[bytes, int] = {}
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)  # smaller than the pixels
    return np.array([seen.setdefault(digest, place) for place, digest in enumerate(digests)], dtype=np.int64)


def _parts(indices: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
    block = max(1, BLOCK * 32 * 32 // math.prod(shape[1:3]))
    return [indices[start : start + block] for start in range(0, len(indices), block)]


def _cells(images: np.ndarray, cells: int) -> np.ndarray:
    """Return the means of a grid of cells, rounded down: uint8 (N, cells, cells, 3)."""
    sums = images.astype(np.int64)
    for axis in (1, 2):
        edges = np.arange(cells) * images.shape[axis] // cells
        widths = np.diff(np.append(edges, images.shape[axis]))
        shape = [1, 1, 1, 1]
        shape[axis] = cells
        sums = np.add.reduceat(sums, edges, axis=axis) * 256 // widths.reshape(shape)
    return (sums >> 16).astype(np.uint8)


def _descriptors(grids: np.ndarray) -> np.ndarray:
    """Return grey 8x8 thumbnails without their mean, of length SCALE: integers in float32 (N, 64)."""
    grey = grids.astype(np.int64).sum(axis=3)
    small = grey.reshape(len(grids), CELLS, 2, CELLS, 2).sum(axis=(2, 4)).reshape(len(grids), CELLS * CELLS)
    centred = small * CELLS * CELLS - small.sum(axis=1, keepdims=True)
    lengths = np.sqrt(
        (centred**2).sum(axis=1, keepdims=True).astype(np.float64)
    )  # correctly rounded everywhere
    return np.rint(centred * SCALE / np.maximum(lengths, 1)).astype(np.float32)


def _correlated(described: np.ndarray, others: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield positions of pairs, first < second, whose descriptors correlate by at least CORRELATION."""
    least = CORRELATION * SCALE * SCALE
    for top in range(0, len(described), BLOCK):
        for left in range(top, len(described), BLOCK):
            products = described[top : top + BLOCK] @ others[left : left + BLOCK].T
            flat = np.flatnonzero(products >= least)
            rows, columns = flat // products.shape[1] + top, flat % products.shape[1] + left
            later = rows < columns
            rows, columns = rows[later], columns[later]
            for start in range(0, len(rows), PAIRED):
                yield rows[start : start + PAIRED], columns[start : start + PAIRED]


def _is_close(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compare 16x16 thumbnails pairwise; bool (N,)."""
    one, other = (grids.reshape(len(grids), -1).astype(np.int64) for grids in (first, second))
    size = one.shape[1]
    squares = ((one - other) ** 2).sum(axis=1)
    centred = one.reshape(len(one), -1, 3)
    count = size // 3
    variance = (count * (centred**2).sum(axis=1) - centred.sum(axis=1) ** 2).sum(axis=1)  # times count
    return (squares <= DIFFERENCE * size) & (squares * count * 100 <= variance * round(100 * RELATIVE))
