"""Time a process from start to exit and sample the memory of its tree."""

import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from cifar10 import errors

INTERVAL = 0.1  # seconds between two samples; one takes about a millisecond


@dataclass(frozen=True)
class Run:
    """One process from start to exit: wall seconds, and the peak memory of the largest process of its tree.

    `peak_bytes` is the largest resident set that a sample found. Samples are taken every INTERVAL seconds, so
    that a peak which lasts for less can be missed. Pages that processes share count in each.
    """

    seconds: float
    peak_bytes: int


def timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> Run:
    """Run a command in `folder`.

    Raises:
        UserError: its exit code is not 0; the message ends with the end of its output.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        peak = 0
        started = time.perf_counter()
        process = psutil.Popen(
            command, cwd=folder, env=dict(environment), stdout=log, stderr=subprocess.STDOUT
        )
        while True:
            peak = max(peak, largest(process))
            try:
                code = process.wait(timeout=INTERVAL)
                break
            except psutil.TimeoutExpired:
                continue
        seconds = time.perf_counter() - started
        if code:
            log.seek(0)
            raise errors.UserError(f"{' '.join(command)} failed:\n{log.read()[-2000:]}")
    return Run(seconds, peak)


def largest(process: psutil.Process) -> int:
    """Return the resident bytes of the largest of a process and its descendants; 0 if it ended."""
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    return max(map(resident, tree))


def resident(process: psutil.Process) -> int:
    """Return the resident bytes of a process, 0 if it ended or belongs to somebody else."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0
