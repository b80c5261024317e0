"""A study goes on where it was interrupted, with the same proposals; the objective is a formula."""

import functools
import math
import os
import subprocess
import sys

import psutil
import pytest
from optuna.trial import TrialState

from cifar10.errors import UserError
from cifar10.search import space, study

RATE = "models.model_2.optimizer.SGD.learning_rate"
TRIALS = 12  # the sampler's first ten proposals are random


@functools.cache
def searched():
    """The space of most studies; all test processes import this file, and reading a space takes 0.3 s."""
    return space.read([f"{RATE}=tag(log, interval(0.001, 0.1))", "train.batch_size=16,32,64"], "model_2")


def opened(path, seed=0, of=None):
    return study.opened(path, "name", study.conditions(of or searched(), "model_2", seed))


def advance(path, trials, seed=0):
    """Finish some trials; return the parameters of all finished trials."""
    with opened(path, seed) as trials_of:
        for _ in range(trials):
            trial = study.ask(trials_of, searched(), seed)
            trials_of.tell(trial, -abs(math.log10(trial.params[RATE]) + 2))
        return [trial.params for trial in study.finished(trials_of)]


def interrupt(path, **attributes):
    """Start a trial and leave it."""
    with opened(path) as trials:
        trial = study.ask(trials, searched(), 0)
        for name, value in attributes.items():
            trial.set_user_attr(name, value)


def test_an_interrupted_study_proposes_the_same_as_one_without_interruption(tmp_path):
    whole = advance(tmp_path / "whole.db", TRIALS)
    for number in (1, TRIALS - 1):
        advance(tmp_path / "parts.db", number)
        interrupt(tmp_path / "parts.db", process=[os.getpid(), 0])
    assert advance(tmp_path / "parts.db", 0) == whole
    assert len({str(params) for params in whole}) == TRIALS
    assert advance(tmp_path / "other.db", 2, seed=1) != whole[:2]
    with opened(tmp_path / "parts.db") as trials:
        states = [trial.state for trial in trials.trials]
    assert (states.count(TrialState.FAIL), states.count(TrialState.COMPLETE)) == (2, TRIALS)


def test_a_study_that_another_process_runs_is_refused(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    interrupt(tmp_path / "a.db", process=[other.pid, psutil.Process(other.pid).create_time()])
    with pytest.raises(UserError, match=f"trial 0 runs in process {other.pid}"), opened(tmp_path / "a.db"):
        pass
    other.communicate()
    with opened(tmp_path / "a.db") as trials:
        assert [trial.state for trial in trials.trials] == [TrialState.FAIL]


def test_a_study_keeps_its_conditions(tmp_path):
    advance(tmp_path / "a.db", 1)
    other = space.read([f"{RATE}=tag(log, interval(0.001, 0.2))"], "model_2")
    for seed, of, changed in [(1, None, "--seed"), (0, other, "--set, train, models.model_2")]:
        with (
            pytest.raises(UserError, match=f"other values of {changed}: "),
            opened(tmp_path / "a.db", seed, of),
        ):
            pass


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    (tmp_path / "a.db").write_text("text, which is no database")
    with pytest.raises(UserError, match=r"a\.db: .*file is not a database$"), opened(tmp_path / "a.db"):
        pass
