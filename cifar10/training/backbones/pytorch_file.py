"""Read the weights in a PyTorch file of the format before version 1.6, without PyTorch.

Such a file is five pickles (magic number, version of the format, facts about the machine, tensors, keys of
the storages), then the storages: a number of elements, int64, and the elements. Only names that tensors need
can be unpickled, so that a file cannot run code.
"""

import collections
import io
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass
class _Storage:
    """Elements that tensors show parts of."""

    dtype: np.dtype
    count: int
    elements: np.ndarray = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class _Tensor:
    """A part of a storage; strides and offset in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """Return a copy of the tensor."""
        last = self.offset + sum(
            (size - 1) * step for size, step in zip(self.shape, self.strides, strict=True)
        )
        if min(self.offset, *self.strides, *self.shape, 0) < 0 or last >= len(self.storage.elements):
            raise ValueError("a tensor lies outside its storage")
        flat, step = self.storage.elements[self.offset :], self.storage.dtype.itemsize
        return np.lib.stride_tricks.as_strided(
            flat, self.shape, [step * each for each in self.strides]
        ).copy()


class _Unpickler(pickle.Unpickler):
    """Unpickles dictionaries of tensors and nothing else."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name in the file stands for."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise ValueError(f"it names {module}.{name}, expected tensors only")

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that the file refers to."""
        _, dtype, key, _, count, _ = pid
        return self.storages.setdefault(key, _Storage(dtype, count))


def read(content: bytes, path: Path) -> dict[str, np.ndarray]:
    """Return the tensors by name.

    Args:
        content: of the file.
        path: of the file, for the error.

    Raises:
        ValueError: this is no such file, it is cut, or it holds something else than tensors.
    """
    file = io.BytesIO(content)
    try:
        if _Unpickler(file).load() != MAGIC:
            raise ValueError("it has another format")
        _Unpickler(file).load(), _Unpickler(file).load()
        reader = _Unpickler(file)
        tensors, keys = reader.load(), _Unpickler(file).load()
        for key in keys:
            storage = reader.storages[key]
            (count,) = np.frombuffer(file.read(8), "<i8")
            if count != storage.count:
                raise ValueError(f"storage {key} has {count} elements, expected {storage.count}")
            storage.elements = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
        return {name: tensor.array() for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, EOFError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected a PyTorch file with weights: {error}") from None
