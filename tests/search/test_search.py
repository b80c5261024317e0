"""A real search: its trials are DVC experiments, it goes on after it was killed, it uses no test image."""

import json
import re
import signal

import optuna
import pytest
import yaml

from tests.conftest import COLD, WARM

RATE = "models.model_2.optimizer.SGD.learning_rate"
SEARCH = ["python", "-m", "cifar10.search", "--model", "model_2", "--trials", "3", "--set"]
SEARCH += ["train.epochs=1", "train.seeds=[0]", f"{RATE}=tag(log, interval(0.001, 0.1))"]


def trials(clone):
    """Return parameters and value of each finished trial, read with Optuna."""
    study = optuna.load_study(study_name="search-model_2", storage=f"sqlite:///{clone.root / 'search.db'}")
    return [(trial.params, trial.value) for trial in study.trials if trial.value is not None]


def test_a_killed_search_goes_on_and_gives_the_same(clone_finished, tmp_path):
    whole, killed = clone_finished(tmp_path / "whole"), clone_finished(tmp_path / "killed")
    printed = whole.run(*SEARCH)
    process = killed.start(*SEARCH, **WARM)
    for line in process.stdout:
        if line.startswith("1/3 "):
            process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(trials(killed)) == 1
    killed.run(*SEARCH)
    assert trials(killed) == trials(whole)
    assert len({str(params) for params, _ in trials(whole)}) == 3

    best = re.search(r"dvc exp apply (\S+)", printed).group(1)
    values = [value for _, value in trials(whole)]
    assert best == f"search-model_2-{values.index(max(values))}"
    assert whole.run("git", "status", "--porcelain") == ""
    changes = changed_by_experiments(whole)
    assert set(changes) == {f"search-model_2-{number}" for number in range(3)}
    assert set(map(tuple, changes.values())) == {("dvc.lock: train@model_2-0", "params.yaml")}

    whole.run("dvc", "exp", "apply", best)
    chosen = yaml.safe_load((whole.root / "params.yaml").read_text())["models"]["model_2"]["optimizer"]
    assert chosen == {"SGD": {"learning_rate": trials(whole)[values.index(max(values))][0][RATE]}}
    stale = json.loads(whole.run("dvc", "status", "--json"))
    assert "train@model_2-0" not in stale
    assert "evaluate@model_2-0" in stale


def changed_by_experiments(clone):
    """List the files that each experiment changes, and within dvc.lock, the stages."""
    found = {}
    for ref in clone.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").split():
        files = clone.run("git", "diff", "--name-only", "HEAD", ref).split()
        before, after = (
            yaml.safe_load(clone.run("git", "show", f"{commit}:dvc.lock"))["stages"]
            for commit in ("HEAD", ref)
        )
        assert before.keys() == after.keys()
        stages = [f"dvc.lock: {stage}" for stage in before if before[stage] != after[stage]]
        found[ref.rpartition("/")[2]] = sorted({*files, *stages} - {"dvc.lock"})
    return found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "model_9", "--trials", "3"], "models: got 'model_9', expected one of model_0,"),
        (["--model", "model_2", "--trials", "0"], "got '0', expected a number of trials, 1 or more"),
        (["--model", "model_2", "--trials", "3"], "--set: expected a parameter with a range"),
    ],
)
def test_a_mistake_is_one_line(finished, arguments, words):
    printed = finished.run("python", "-m", "cifar10.search", *arguments, expect=2)
    assert words in printed.splitlines()[-1]


def test_without_validation_images_there_is_no_search(workspace):
    workspace.edit("params.yaml", "validation_fraction: 0.1", "validation_fraction: 0")
    printed = workspace.run(*SEARCH, expect=2)
    assert printed.startswith("error: params.yaml: data.validation_fraction: got 0: a search needs")


def test_without_optuna_the_message_names_the_extra(workspace, tmp_path):
    (tmp_path / "optuna.py").write_text("raise ModuleNotFoundError('x', name='optuna')\n")
    printed = workspace.run(*SEARCH, expect=2, **COLD, PYTHONPATH=str(tmp_path))
    assert printed == "error: no module optuna: pip install -e '.[search]'\n"


def test_a_trial_that_fails_ends_the_search_with_its_reason(workspace):
    search = [*SEARCH, "+models.model_2.optimizer.SGD.unknown=1"]
    printed = workspace.run(*search, expect=2)
    last = printed.splitlines()[-1]
    assert last.startswith("error: experiment search-model_2-0 failed: params.yaml: models.model_2.optimizer")
    assert "unknown argument 'unknown'" in last
    assert trials(workspace) == []
