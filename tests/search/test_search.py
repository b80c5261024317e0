"""A real search: its trials are DVC experiments, it goes on after it was killed, it uses no test image."""

import json
import re
import signal
import sys
from pathlib import Path

import optuna
import pytest
import yaml

from cifar10.errors import UserError
from cifar10.search import __main__ as search
from cifar10.search import space, study
from tests.conftest import COLD, DATA, WARM

RATE = "models.model_2.optimizer.SGD.learning_rate"
SEARCH = ["python", "-m", "cifar10.search", "--model", "model_2", "--trials", "2", "--set"]
SEARCH += ["train.epochs=1", "train.seeds=[0]", f"{RATE}=tag(log, interval(0.001, 0.1))"]


@pytest.fixture
def project(workspace):
    """A workspace with one model and what is recorded of it, which DVC reads six times for an experiment."""
    workspace.keep_models("model_2")
    workspace.keep_records(*DATA, "train@model_2-0", "evaluate@model_2-0", "report")
    workspace.commit()
    return workspace


def trials(clone):
    """Return parameters and value of each finished trial, read with Optuna."""
    found = optuna.load_study(study_name="search-model_2", storage=f"sqlite:///{clone.root / 'search.db'}")
    return [(trial.params, trial.value) for trial in found.trials if trial.value is not None]


def uninterrupted(values, path):
    """Return the proposals of a study whose trials have these values, without trainings."""
    searched = space.read(SEARCH[SEARCH.index("--set") + 1 :], "model_2")
    with study.opened(path, "whole", study.conditions(searched, "model_2", seed=0)) as whole:
        for value in values:
            whole.tell(study.ask(whole, searched, seed=0), value)
        return [trial.params for trial in study.finished(whole)]


def test_a_killed_search_goes_on_and_proposes_the_same(project, tmp_path):
    process = project.start(*SEARCH, **WARM)
    for line in process.stdout:
        if line.startswith("1/2 "):
            process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(trials(project)) == 1
    printed = project.run(*SEARCH)
    proposed, values = zip(*trials(project), strict=True)
    assert len({str(params) for params in proposed}) == 2
    assert [*proposed] == uninterrupted(values, tmp_path / "whole.db")
    assert project.run("git", "status", "--porcelain") == ""
    changes = changed_by_experiments(project)
    assert [*changes.values()] == [["dvc.lock: train@model_2-0", "params.yaml"]] * 2
    assert "search-model_2-0" in changes

    best = re.search(r"dvc exp apply (\S+)", printed).group(1)
    assert best in changes
    project.run("dvc", "exp", "apply", best)
    chosen = yaml.safe_load((project.root / "params.yaml").read_text())["models"]["model_2"]["optimizer"]
    assert chosen == {"SGD": {"learning_rate": proposed[values.index(max(values))][RATE]}}
    stale = json.loads(project.run("dvc", "status", "--json"))
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


def test_a_mistake_is_one_line(finished):
    command = ["python", "-m", "cifar10.search", "--model", "model_9", "--trials", "3"]
    printed = finished.run(*command, expect=2)
    assert printed == "error: params.yaml: models: got 'model_9', expected one of model_0, model_1, model_2\n"


def test_a_search_has_trials(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["search", "--model", "model_2", "--trials", "0"])
    with pytest.raises(SystemExit):
        search.main()
    assert "got '0', expected a number of trials, 1 or more" in capsys.readouterr().err


def test_without_validation_images_there_is_no_search(tmp_path, monkeypatch):
    text = Path("params.yaml").read_text().replace("validation_fraction: 0.1", "validation_fraction: 0")
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", SEARCH[2:])
    with pytest.raises(UserError, match=r"^params\.yaml: data\.validation_fraction: got 0: a search needs"):
        search.main()


def test_without_optuna_the_message_names_the_extra(finished, tmp_path):
    (tmp_path / "optuna.py").write_text("raise ModuleNotFoundError('x', name='optuna')\n")
    printed = finished.run(*SEARCH, expect=2, **COLD, PYTHONPATH=str(tmp_path))
    assert printed == "error: no module optuna: pip install -e '.[search]'\n"


def test_a_trial_that_fails_ends_the_search_with_its_reason(project):
    search = [*SEARCH, "+models.model_2.optimizer.SGD.unknown=1"]
    printed = project.run(*search, expect=2)
    last = printed.splitlines()[-1]
    assert last.startswith("error: experiment search-model_2-0 failed: params.yaml: models.model_2.optimizer")
    assert "unknown argument 'unknown'" in last
    assert trials(project) == []
