"""Pin the floating-point arithmetic of NumPy and TensorFlow, regardless of the caller's environment.

The order of the terms in a float32 sum decides its last bits. Libraries choose this order by instruction set,
number of cores and environment variables, which they read when they are loaded.
`import cifar10` calls `pin`, so import the package before NumPy and TensorFlow.
"""

import os
import platform
import sys
import warnings
from importlib import metadata
from typing import Any

from cifar10 import machine

LIMIT = "ONEDNN_MAX_CPU_ISA"  # variable for the highest instruction set of oneDNN, on x86-64
PORTABLE, FASTEST = "AVX2", "AVX512_CORE"  # values of LIMIT
EVERYWHERE = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # off by default without AVX512-VNNI; steps are slower without oneDNN
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",  # no bfloat16 inside float32 products
    "OPENBLAS_NUM_THREADS": "1",  # the number of threads changes the order of sums
    "VECLIB_MAXIMUM_THREADS": "1",  # same, on macOS
    "HDF5_USE_FILE_LOCKING": "FALSE",  # some network file systems have no locks
}
WITH_AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",  # AVX2 kernels; AVX-512 kernels sum in another order
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # AVX-512 rounds exp, log, power differently
}
UNSET = (  # removed: each could select other kernels or prevent the import of NumPy
    "DNNL_CPU_ISA_HINTS",
    "NPY_ENABLE_CPU_FEATURES",
    "ONEDNN_CPU_ISA_HINTS",
    "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL",
    "TF_DISABLE_MKL",
    "TF_ENABLE_MKL_NATIVE_FORMAT",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "TF_XLA_FLAGS",
)
INSTRUCTIONS = {  # instruction sets with oneDNN kernels, fastest first: required processor flags
    "AVX512_CORE": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "AVX2": {"avx2", "fma"},
    "AVX": {"avx"},
    "SSE41": {"sse4_1"},
}
LIBRARIES = {  # libraries that decide the bytes of models and metrics: names of their distributions
    "h5py": ["h5py"],
    "keras": ["keras"],
    "numpy": ["numpy"],
    "tensorflow": ["tensorflow-cpu", "tensorflow"],
}


def settings(portable: bool = True) -> dict[str, str]:
    """Return the environment variables that pin the arithmetic on this processor.

    Args:
        portable: use at most AVX2. The order of sums is then the same on every x86-64 processor with
            AVX2 and FMA. Otherwise, TensorFlow uses AVX-512 where available.
    """
    chosen = dict(EVERYWHERE)
    if machine.is_x86_64():
        chosen[LIMIT] = PORTABLE if portable else FASTEST
        chosen |= WITH_AVX2 if INSTRUCTIONS["AVX2"] <= machine.flags() else {}
    return chosen


def pin(portable: bool = True) -> None:
    """Set the environment variables for libraries that are not loaded yet, and for child processes.

    Args:
        portable: as for `settings`.

    Warns:
        RuntimeWarning: NumPy, h5py or TensorFlow is already loaded, with other settings.
    """
    wanted: dict[str, str | None] = {**dict.fromkeys(UNSET), **settings(portable)}
    changed = [name for name, value in wanted.items() if os.environ.get(name) != value]
    late = {library for name in changed if (library := _reader(name)) in sys.modules}
    if late:
        warnings.warn(
            f"imported before cifar10: {', '.join(sorted(late))}; results can differ in their last digits: "
            "import cifar10 first",
            RuntimeWarning,
            stacklevel=3,
        )
    for name in changed:
        os.environ.pop(name, None)
    os.environ.update({name: value for name, value in wanted.items() if value is not None})


def _reader(variable: str) -> str:
    """Return the library that reads a variable at load time."""
    if variable.startswith(("NPY_", "OPENBLAS_", "VECLIB_")):
        return "numpy"
    return "h5py" if variable.startswith("HDF5_") else "tensorflow"


def in_effect() -> dict[str, Any]:
    """Describe the arithmetic of this process; loads TensorFlow. Equal descriptions mean equal bits.

    Returns:
        `system`: operating system and architecture; `instructions`: instruction set; `oneDNN`: whether
        TensorFlow uses it; `versions`: versions of LIBRARIES.
    """
    return {
        "system": f"{platform.system()} {'x86_64' if machine.is_x86_64() else platform.machine()}",
        "instructions": instructions(),
        "oneDNN": _onednn(),
        "versions": versions(),
    }


def instructions() -> str:
    """Return oneDNN's instruction set: the best one that processor and environment allow."""
    if not machine.is_x86_64():
        return platform.machine()
    names = list(INSTRUCTIONS)
    limit = os.environ.get(LIMIT, FASTEST)
    allowed = names[names.index(limit) :] if limit in names else names
    flags = machine.flags()
    return next((name for name in allowed if INSTRUCTIONS[name] <= flags), "unknown")


def versions() -> dict[str, str]:
    """Return the installed version of each of LIBRARIES, by name."""
    return {name: _version(distributions) for name, distributions in LIBRARIES.items()}


def describe(arithmetic: dict[str, Any]) -> str:
    """Format a result of `in_effect` as a phrase, without the versions; `device` is the GPU of a training."""
    onednn = "" if arithmetic["oneDNN"] else ", without oneDNN"
    on = f", on {arithmetic['device']}" if "device" in arithmetic else ""
    return f"{arithmetic['system']}, {arithmetic['instructions']}{onednn}{on}"


def difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Describe, as a clause, how the arithmetic of a result differs from the arithmetic of this process.

    Args:
        theirs: from `in_effect`, stored with the result.
        ours: from `in_effect`, in this process.
    """
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
        from tensorflow.python.util import _pywrap_util_port  # no public equivalent
    except ImportError:
        return False
    return bool(_pywrap_util_port.IsMklEnabled())
