"""Time a process from start to exit and sample the memory of its process tree."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from cifar10 import errors

INTERVAL = 0.1  # seconds between samples; a sample takes about a millisecond


@dataclass(frozen=True)
class Run:
    """A process from start to exit: wall seconds, and peak memory of the largest process in its tree.

    `peak_bytes` is the largest resident set in the samples. Samples are INTERVAL seconds apart, so shorter
    peaks can be missed. Pages shared by processes count in each.
    """

    seconds: float
    peak_bytes: int


def timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> Run:
    """Run and time a command in `folder`; kill it, with the processes that it started, on any signal.

    Raises:
        UserError: the exit code is not 0; the message includes the end of the output.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        peak = 0
        started = time.perf_counter()
        process = psutil.Popen(
            command, cwd=folder, env=dict(environment), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while True:
                peak = max(peak, largest(process))
                try:
                    code = process.wait(timeout=INTERVAL)
                    break
                except psutil.TimeoutExpired:
                    continue
        except BaseException:  # a signal: nobody waits for the result
            _kill(process)
            raise
        seconds = time.perf_counter() - started
        if code:
            log.seek(0)
            raise errors.UserError(f"{' '.join(command)} failed:\n{log.read()[-2000:]}")
    return Run(seconds, peak)


def in_turn(
    sides: Mapping[str, list[str]], repeats: int, environment: Mapping[str, str]
) -> dict[str, dict[str, list[float]]]:
    """Run the command of each side `repeats` times, in turn; return their wall and CPU seconds."""
    seconds: dict[str, dict[str, list[float]]] = {side: {"wall": [], "cpu": []} for side in sides}
    for _ in range(repeats):
        for side, command in sides.items():
            before = _cpu_seconds()
            run = timed(command, Path.cwd(), environment)
            seconds[side]["wall"].append(run.seconds)
            seconds[side]["cpu"].append(_cpu_seconds() - before)
    return seconds


def _cpu_seconds() -> float:
    """Return the CPU seconds of the processes that this one has waited for; 0 on Windows."""
    used = os.times()
    return used.children_user + used.children_system


def _kill(process: psutil.Process) -> None:
    """End a process and all that it started, also in other sessions."""
    for each in tree(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def tree(process: psutil.Process) -> list[psutil.Process]:
    """List a process and all that it started; empty if it ended."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def largest(process: psutil.Process) -> int:
    """Return the resident bytes of the largest process in the tree of `process`; 0 if it ended."""
    return max(map(resident, tree(process)), default=0)


def resident(process: psutil.Process) -> int:
    """Return the resident bytes of a process; 0 if it ended or belongs to another user."""
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0
