"""Describe the computer: processor, instruction sets, cores, memory."""

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

import psutil
from archspec.cpu import detect

CPUINFO = Path("/proc/cpuinfo")
FLAGS = ("sse4_1", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "sve")


def is_x86_64() -> bool:
    """Tell whether the processor is x86-64 (Intel or AMD)."""
    return platform.machine().lower() in ("x86_64", "amd64")


def flags() -> frozenset[str]:
    """Return the processor's features, named as in /proc/cpuinfo; empty if the detection fails."""
    with contextlib.suppress(Exception):  # archspec reads files, programs or registers
        return frozenset(detect.detected_info().features)
    return frozenset()


def processor() -> str:
    """Return the processor's name, with family and model where the system reports them."""
    lines = CPUINFO.read_text(errors="replace").splitlines() if CPUINFO.exists() else []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines[:30])}
    name = fields.get("model name") or platform.processor() or platform.machine() or "unknown processor"
    if "cpu family" not in fields or "model" not in fields:
        return name
    return f"{name} (family {fields['cpu family']}, model {fields['model']})"


def vendor() -> str:
    """Return the processor's vendor ID, such as GenuineIntel; "unknown" if the detection fails."""
    with contextlib.suppress(Exception):
        return str(detect.detected_info().vendor)
    return "unknown"


def cores() -> int:
    """Count the cores available to this process."""
    process = psutil.Process()
    allowed = len(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else None
    return allowed or os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """Describe the computer and its Python, as the context of measurements."""
    found = flags()
    return {
        "processor": processor(),
        "vendor": vendor(),
        "flags": [flag for flag in FLAGS if flag in found],
        "cores": cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.system(),
        "python": platform.python_version(),
    }
