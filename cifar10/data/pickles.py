"""Unpickle dicts of NumPy arrays, bytes and plain values; refuse anything else before it runs.

A pickle can call any function of any module. Here, a name leads to one of the few
stand-ins below or to an error, never to a real class of NumPy.
"""

import io
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np


class _Function:
    """A function that a pickle can call but not alter."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]):
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("it tries to alter a function")


class _Dtype:
    """Stand-in for `numpy.dtype`: numbers of fixed size only."""

    def __init__(self, code: str | bytes, *_align_copy: object):
        text = code.decode("ascii") if isinstance(code, bytes) else code
        if not re.fullmatch("[biuf][1248]", text):
            raise pickle.UnpicklingError(f"it has an array of type {text!r}, expected numbers")
        self.value = np.dtype(text)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.value = self.value.newbyteorder(">" if state[1] in (">", b">") else "<")


class _Array:
    """Stand-in for `numpy.ndarray`: created empty by a call, then filled by `__setstate__`, as in NumPy."""

    def __init__(self, value: np.ndarray):
        self.value = value

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, dtype, is_fortran, content = state[-4:]
        self.value = np.frombuffer(content, dtype.value).reshape(shape, order="F" if is_fortran else "C")


def _reconstruct(_ndarray: object, _shape: object, _type_code: object) -> _Array:
    return _Array(np.empty(0, np.uint8))


def _from_buffer(buffer: bytes, dtype: _Dtype, shape: tuple[int, ...], order: Any, *_axes: object) -> _Array:
    return _Array(np.frombuffer(buffer, dtype.value).reshape(shape, order=order))


def _encode(text: str, encoding: str) -> bytes:
    """Decode bytes pickled by Python 3 at protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding!r}, expected latin1")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Decode empty bytes pickled by Python 3 at protocol 2; bytes(n) would allocate n bytes."""
    return b""


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): "ndarray",  # only an argument of _reconstruct
    ("numpy", "dtype"): _Function(_Dtype),
    ("_codecs", "encode"): _Function(_encode),
    ("__builtin__", "bytes"): _Function(_no_bytes),
    ("builtins", "bytes"): _Function(_no_bytes),
}
for _core in ("numpy.core", "numpy._core"):  # NumPy 1 and 2
    _ALLOWED[f"{_core}.multiarray", "_reconstruct"] = _Function(_reconstruct)
    _ALLOWED[f"{_core}.numeric", "_frombuffer"] = _Function(_from_buffer)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}: refused, nothing was run")
        return _ALLOWED[module, name]


def load(payload: bytes) -> dict[str, Any]:
    """Read a pickled dict of Python 2 or 3, any protocol.

    Returns:
        Entries by name. Arrays are read-only NumPy arrays of numbers; strings of Python 2 are bytes.

    Raises:
        ValueError: the pickle is damaged, is not a dict, or asks for anything but arrays and bytes.
    """
    try:
        content = _Unpickler(io.BytesIO(payload), encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # a damaged pickle can raise nearly any exception
        raise ValueError(f"damaged pickle ({type(error).__name__}: {error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"expected a dict, found {type(content).__name__}")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): (
            value.value if isinstance(value, _Array) else value
        )
        for key, value in content.items()
    }
