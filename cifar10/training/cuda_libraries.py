"""Load the CUDA libraries of the packages `nvidia-*`, which TensorFlow does not find by itself.

TensorFlow 2.21 opens them by name. The search path in its own files lacks the folder of cuSOLVER, without
which it uses no GPU. The name of a library that is loaded already needs no search path.
"""

import contextlib
import ctypes
import importlib.util
from pathlib import Path

NAMES = (  # those that TensorFlow requires of a GPU, after the libraries that they need
    "libcudart",
    "libnvJitLink",
    "libcublasLt",
    "libcublas",
    "libcufft",
    "libcusparse",
    "libcusolver",
    "libcudnn",
)


def load() -> list[Path]:
    """Load the libraries that are installed; return their files. TensorFlow names those that are missing."""
    loaded = []
    for file in installed():
        with contextlib.suppress(OSError):  # of another system, or without a library that it needs
            ctypes.CDLL(str(file))
            loaded.append(file)
    return loaded


def installed() -> list[Path]:
    """List the files of NAMES in the packages, in the order of NAMES."""
    package = importlib.util.find_spec("nvidia")
    folders = package.submodule_search_locations if package else None
    return [
        file
        for name in NAMES
        for folder in folders or ()
        for file in sorted(Path(folder).glob(f"*/lib/{name}.so.*"))
    ]
