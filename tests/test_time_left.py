"""The estimate of the time that stage runs still need."""

from dataclasses import dataclass

import pytest

from cifar10 import time_left


@dataclass(frozen=True)
class Run:
    """What the estimate reads of a `StageRun`."""

    model: str = "a"
    seed: int = 0
    expected: float | None = None
    elapsed: float = 0
    running: bool = False
    ended: bool = False


def ended(seconds, model="a"):
    return Run(model, seed=-1, expected=seconds, elapsed=seconds, ended=True)


def running(elapsed, expected=None, model="a"):
    return Run(model, seed=-2, expected=expected, elapsed=elapsed, running=True)


@pytest.mark.parametrize(
    ("runs", "jobs", "expected"),
    [
        ([Run(), Run(seed=1)], 2, None),  # nothing known
        ([running(5)], 1, None),
        ([ended(10), Run()], 1, 10),
        ([running(4, expected=10), Run()], 1, 16),
        ([running(4, expected=10), Run()], 2, 10),
        ([running(4, expected=10), running(1), Run()], 2, 16),  # the second ends after 9, the third after 16
        ([running(12, expected=10), Run()], 1, 10),  # overdue: about to end
        ([ended(10), ended(40, "b"), Run("b"), Run("c")], 1, 40 + 25),  # an unknown model: the mean
        ([ended(10)], 2, 0),
    ],
)
def test_the_estimate_is_the_end_of_the_schedule(runs, jobs, expected):
    assert time_left.seconds(runs, jobs) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "about 1 s left"), (89, "about 89 s left"), (200, "about 3 min left")],
)
def test_the_text(seconds, text):
    assert time_left.text(seconds) == text
