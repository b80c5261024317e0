"""The images of several splits as one array that is not copied."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np


class Joined:
    """Arrays one after the other.

    Args:
        arrays: uint8 (N, H, W, 3) each, with the same H and W; may be memory maps.

    Attributes:
        shape: of the whole.
    """

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays = arrays
        self.shape = (sum(map(len, arrays)), *arrays[0].shape[1:])

    def __len__(self) -> int:
        """Return the number of images."""
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the images."""
        return chain(*self._arrays)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        """Copy the images of int (M,) indices, not negative, to uint8 (M, H, W, 3)."""
        found, start = np.empty((len(indices), *self.shape[1:]), np.uint8), 0
        for array in self._arrays:
            inside = (indices >= start) & (indices < start + len(array))
            found[inside] = array[indices[inside] - start]
            start += len(array)
        return found
