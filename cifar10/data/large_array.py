"""Arrays of images that may not fit into the memory."""

import math
import tempfile

import numpy as np

from cifar10 import paths

IN_MEMORY = 250_000_000  # bytes; a larger array is a memory map


def make(shape: tuple[int, ...]) -> np.ndarray:
    """Return uint8 of a shape, with undefined content. A large array is a memory map of a temporary file."""
    if math.prod(shape) <= IN_MEMORY:
        return np.empty(shape, np.uint8)
    paths.PARTIAL.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=paths.PARTIAL) as file:  # has no name, and is deleted with the array
        return np.memmap(file, np.uint8, "w+", shape=shape)
