"""Pin the floating-point arithmetic of NumPy, TensorFlow and HDF5, whatever the environment says.

The order in which the terms of a float32 sum are added decides its last bits. Libraries choose that order by
instruction set, number of cores and environment variables, which they read when they are loaded.
`import cifar10` calls `pin`, so import the package before NumPy and TensorFlow.
"""

import os
import platform
import sys
import warnings
from importlib import metadata
from typing import Any

from cifar10 import machine

LIMIT = "ONEDNN_MAX_CPU_ISA"  # variable that names the highest instruction set of oneDNN, on x86-64
PORTABLE, FASTEST = "AVX2", "AVX512_CORE"  # its values, as oneDNN spells them
EVERYWHERE = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # TensorFlow's default asks for AVX512-VNNI; without it steps are slower
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",  # no bfloat16 inside float32 products
    "OPENBLAS_NUM_THREADS": "1",  # products of NumPy sum in another order on two cores
    "VECLIB_MAXIMUM_THREADS": "1",  # the same on macOS
    "HDF5_USE_FILE_LOCKING": "FALSE",  # some network file systems have no locks
}
WITH_AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",  # the AVX2 kernels; those of AVX-512 sum in another order
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # AVX-512 rounds exp, log and power otherwise
}
UNSET = (  # each of these would choose other kernels, or stop NumPy from loading
    "DNNL_CPU_ISA_HINTS",
    "NPY_ENABLE_CPU_FEATURES",
    "ONEDNN_CPU_ISA_HINTS",
    "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL",
    "TF_DISABLE_MKL",
    "TF_ENABLE_MKL_NATIVE_FORMAT",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "TF_XLA_FLAGS",
)
INSTRUCTIONS = {  # sets that oneDNN has kernels for, fastest first, with the flags that each needs
    "AVX512_CORE": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "AVX2": {"avx2", "fma"},
    "AVX": {"avx"},
    "SSE41": {"sse4_1"},
}
LIBRARIES = {  # that decide the bytes of models and metrics, and the names that they are installed by
    "h5py": ["h5py"],
    "keras": ["keras"],
    "numpy": ["numpy"],
    "tensorflow": ["tensorflow-cpu", "tensorflow"],
}


def settings(portable: bool = True) -> dict[str, str]:
    """Return the environment variables that pin the arithmetic on this processor.

    Args:
        portable: use nothing beyond AVX2, so that every x86-64 processor with AVX2 and FMA sums in the same
            order. Otherwise TensorFlow uses AVX-512 where the processor has it.
    """
    chosen = dict(EVERYWHERE)
    if machine.is_x86_64():
        chosen[LIMIT] = PORTABLE if portable else FASTEST
        chosen |= WITH_AVX2 if INSTRUCTIONS["AVX2"] <= machine.flags() else {}
    return chosen


def pin(portable: bool = True) -> None:
    """Set the environment for what this process loads from now on, and for its children.

    Args:
        portable: as for `settings`.

    Warns:
        RuntimeWarning: NumPy or TensorFlow was loaded before, with other settings.
    """
    wanted: dict[str, str | None] = {**dict.fromkeys(UNSET), **settings(portable)}
    changed = [name for name, value in wanted.items() if os.environ.get(name) != value]
    late = {library for name in changed if (library := _reader(name)) in sys.modules}
    if late:
        warnings.warn(
            f"imported before cifar10: {', '.join(sorted(late))}; results can differ in their last digits, "
            "so import cifar10 first",
            RuntimeWarning,
            stacklevel=3,
        )
    for name in changed:
        os.environ.pop(name, None)
    os.environ.update({name: value for name, value in wanted.items() if value is not None})


def _reader(variable: str) -> str:
    """Name the library that reads a variable when it is loaded."""
    if variable.startswith(("NPY_", "OPENBLAS_", "VECLIB_")):
        return "numpy"
    return "h5py" if variable.startswith("HDF5_") else "tensorflow"


def in_effect() -> dict[str, Any]:
    """Describe the arithmetic of this process. Equal descriptions stand for equal bits; TensorFlow is loaded.

    Returns:
        `system`: operating system and architecture; `instructions`: the set in use; `oneDNN`: whether
        TensorFlow uses it; `versions`: of the libraries that compute.
    """
    return {
        "system": f"{platform.system()} {'x86_64' if machine.is_x86_64() else platform.machine()}",
        "instructions": instructions(),
        "oneDNN": _onednn(),
        "versions": versions(),
    }


def instructions() -> str:
    """Name the instruction set that oneDNN uses: the best that processor and environment allow."""
    if not machine.is_x86_64():
        return platform.machine()
    names = list(INSTRUCTIONS)
    limit = os.environ.get(LIMIT, FASTEST)
    allowed = names[names.index(limit) :] if limit in names else names
    flags = machine.flags()
    return next((name for name in allowed if INSTRUCTIONS[name] <= flags), "unknown")


def versions() -> dict[str, str]:
    """Return the installed versions of the libraries that compute, by name."""
    return {name: _version(distributions) for name, distributions in LIBRARIES.items()}


def describe(arithmetic: dict[str, Any]) -> str:
    """Put what `in_effect` returned into half a line, without the versions."""
    onednn = "" if arithmetic["oneDNN"] else ", without oneDNN"
    return f"{arithmetic['system']}, {arithmetic['instructions']}{onednn}"


def difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Say in half a line how the arithmetic that computed something differs from that of this process."""
    if (there := describe(theirs)) != (here := describe(ours)):
        return f"it was computed on {there}; this is {here}"
    changed = [
        f"{name} {theirs['versions'].get(name)} (here {version})"
        for name, version in ours["versions"].items()
        if theirs["versions"].get(name) != version
    ]
    return f"it was computed with {', '.join(changed)}"


def _version(distributions: list[str]) -> str:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"


def _onednn() -> bool:
    try:
        from tensorflow.python.util import _pywrap_util_port  # TensorFlow has no public way to ask
    except ImportError:
        return False
    return bool(_pywrap_util_port.IsMklEnabled())
