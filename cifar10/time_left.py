"""Estimate the time until a list of stage runs has ended."""

import heapq
import statistics
from collections.abc import Sequence

from cifar10.stage_run import StageRun


def seconds(runs: Sequence[StageRun], jobs: int) -> float | None:
    """Estimate the wall time that the runs still need.

    A waiting run is expected to take as long as the runs of its model, or else as the mean of all known runs.

    Args:
        runs: in the order in which they start.
        jobs: number of runs at once.

    Returns:
        Seconds; None while the duration of no run is known.
    """
    expected = {run: found for run in runs if (found := run.expected) is not None}
    if not expected:
        return None
    free = [0.0] * jobs  # when each job has ended its runs, from now; a heap
    for run in sorted(runs, key=lambda run: not run.running):
        if run.running:
            left = max(0.0, (expected.get(run) or _of_others(run, expected)) - run.elapsed)
        elif run.ended:
            continue
        else:
            left = _of_others(run, expected)
        heapq.heapreplace(free, free[0] + left)
    return max(free)


def text(estimate: float | None) -> str:
    """Say how much time is left: "about 6 min left", or "" if it is not known."""
    if estimate is None:
        return ""
    if estimate < 90:
        return f"about {max(1, round(estimate)):d} s left"
    return f"about {round(estimate / 60):d} min left"


def _of_others(run: StageRun, expected: dict[StageRun, float]) -> float:
    same = [found for other, found in expected.items() if other.model == run.model]
    return statistics.fmean(same or expected.values())
