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
        ([ended(10), Run()], 1, 10),
        ([running(4, expected=10), Run()], 1, 16),
        ([running(4, expected=10), Run()], 2, 10),
        ([running(4, expected=10), running(1), Run()], 2, 16),  # the second ends after 9, the third after 16
        ([running(12, expected=10), Run()], 1, 10),  # overdue: about to end
        ([ended(10), ended(40, "b"), Run("b"), Run()], 1, 40 + 10),  # each as the others of its model
        ([ended(10)], 2, 0),
    ],
)
def test_the_estimate_is_the_end_of_the_schedule(runs, jobs, expected):
    assert time_left.estimate(runs, jobs) == time_left.Estimate(expected, complete=True)


@pytest.mark.parametrize("runs", [[Run(), Run(seed=1)], [running(5)]])
def test_there_is_no_estimate_while_nothing_is_known(runs):
    assert time_left.estimate(runs, 2) is None


def test_models_that_have_not_run_make_it_a_lower_bound():
    runs = [running(4, expected=10), Run(), Run("b"), running(3, model="c")]
    assert time_left.estimate(runs, 1) == time_left.Estimate(16, complete=False)


@pytest.mark.parametrize(
    ("seconds", "complete", "text"),
    [
        (0.2, True, "about 1 s left"),
        (89, True, "about 89 s left"),
        (200, True, "about 3 min left"),
        (200, False, "at least 3 min left"),
        (0, False, ""),
    ],
)
def test_the_text(seconds, complete, text):
    assert time_left.text(time_left.Estimate(seconds, complete)) == text


def test_without_an_estimate_there_is_no_text():
    assert time_left.text(None) == ""
