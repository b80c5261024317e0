"""Estimate the time until a list of stage runs has ended."""

import heapq
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from cifar10.stage_run import StageRun


@dataclass(frozen=True)
class Estimate:
    """The wall time that runs still need.

    Attributes:
        seconds: of the runs whose duration is known.
        complete: whether the duration of every run is known; if not, `seconds` is a lower bound.
    """

    seconds: float
    complete: bool


def estimate(runs: Sequence[StageRun], jobs: int) -> Estimate | None:
    """Estimate the wall time that the runs still need.

    A waiting run is expected to take as long as the other runs of its model. Models can differ by a factor of
    20, so the runs of a model without any known duration are left out.

    Args:
        runs: in the order in which they start.
        jobs: number of runs at once.

    Returns:
        None while the duration of no run is known.
    """
    known: dict[str, list[float]] = {}
    for run in runs:
        if run.expected is not None:
            known.setdefault(run.model, []).append(run.expected)
    if not known:
        return None
    left_out = False
    free = [0.0] * jobs  # when each job has ended its runs, from now; a heap
    for run in sorted((run for run in runs if not run.ended), key=lambda run: not run.running):
        if run.model not in known:
            left_out = True
            continue
        expected = run.expected if run.running else None
        expected = statistics.fmean(known[run.model]) if expected is None else expected
        heapq.heapreplace(free, free[0] + max(0.0, expected - run.elapsed))
    return Estimate(max(free), not left_out)


def text(found: Estimate | None) -> str:
    """Say how much time is left: "about 6 min left", "at least 6 min left", or "" if it is not known."""
    if found is None or (found.seconds == 0 and not found.complete):
        return ""
    how = "about" if found.complete else "at least"
    if found.seconds < 90:
        return f"{how} {max(1, round(found.seconds)):d} s left"
    return f"{how} {round(found.seconds / 60):d} min left"
