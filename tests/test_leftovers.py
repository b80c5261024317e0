"""Results of models and seeds that params.yaml no longer names are deleted, and count nowhere."""

import subprocess
from pathlib import Path

import yaml

from cifar10 import files, leftovers, paths
from tests.conftest import Clone

LINEAR = {
    "optimizer": {"SGD": {"learning_rate": 0.01}},
    "layers": [
        {"MaxPooling2D": {"pool_size": 8}},
        {"Flatten": {}},
        {"Dense": {"units": "num_classes", "activation": "softmax"}},
    ],
}


def choose(clone, models, seeds):
    """Set the models in params.yaml, by name, and the seeds."""
    path = clone.root / "params.yaml"
    content = yaml.safe_load(path.read_text())
    content["train"]["seeds"], content["models"] = seeds, models
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def content(root):
    """List the files of results and models, without checkpoints and logs."""
    found = {
        path for folder in ("models", "reports") for path in (root / folder).rglob("*") if path.is_file()
    }
    return {str(path.relative_to(root)) for path in found if "checkpoints" not in path.parts}


def recorded(clone):
    """Return what dvc.lock says of each stage."""
    return yaml.safe_load((clone.root / "dvc.lock").read_text())["stages"]


def check_names(clone, models, seeds):
    """Results, models and records are those of these models and seeds, and DVC has nothing to run."""
    assert "up to date" in clone.run("dvc", "status")
    expected = [
        f"{stage}@{model}-{seed}" for stage in ("train", "evaluate") for model in models for seed in seeds
    ]
    assert sorted(recorded(clone)) == sorted(["download", "preprocess", "audit", *expected, "report"])
    for folder in ("models", "reports/evaluations", "reports/scores"):
        found = {(path.parent.name, path.name[:6]) for path in (clone.root / folder).glob("*/seed_*")}
        assert found == {(model, f"seed_{seed}") for model in models for seed in seeds}, folder


def test_models_and_seeds_that_go_and_come_leave_a_clone_as_a_fresh_one(workspace, finished, tmp_path):
    """A model is added and two go, with the last seed; then this seed comes back, and the first one goes."""
    kept = yaml.safe_load((workspace.root / "params.yaml").read_text())["models"]["model_0"]
    workspace.run("dvc", "remote", "modify", "storage", "url", str(tmp_path / "storage"))
    choose(workspace, {"model_0": kept, "linear": LINEAR}, [0])
    assert sorted(workspace.repro()) == ["evaluate@linear-0", "report", "train@linear-0"]
    check_names(workspace, ["model_0", "linear"], [0])
    assert "linear" in (workspace.root / "reports/results.md").read_text()
    assert "# Model card: linear" in (workspace.root / "reports/cards/linear.md").read_text()
    workspace.commit("Add a model, remove two")
    workspace.run("dvc", "push", "--quiet")
    colleague = Clone(tmp_path / "colleague")
    subprocess.run(["git", "clone", "--quiet", workspace.root, colleague.root], check=True)
    colleague.run("dvc", "pull", "--quiet")
    assert colleague.repro() == []
    assert colleague.run("git", "status", "--porcelain") == ""
    assert content(colleague.root) == content(workspace.root)

    choose(workspace, {"model_0": kept}, [1])
    assert workspace.repro() == ["report"]  # the run-cache has the seed that comes back
    check_names(workspace, ["model_0"], [1])
    for stage in ("train@model_0-1", "evaluate@model_0-1"):
        assert recorded(workspace)[stage] == recorded(finished)[stage]
    workspace.commit("Keep one training")
    anew = Clone(tmp_path / "anew")
    subprocess.run(["git", "clone", "--quiet", workspace.root, anew.root], check=True)
    anew.run("dvc", "cache", "dir", "--local", str(finished.root / ".dvc/cache"))
    (anew.root / "dvc.lock").unlink()
    assert "report" in anew.repro()
    assert recorded(anew) == recorded(workspace)
    assert content(anew.root) == content(workspace.root)


def test_what_is_deleted_and_what_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = [path("a", 0) for path in (*leftovers.OF_A_TRAINING, *leftovers.IN_MODELS)]
    unnamed = [path(*key) for key in (("a", 1), ("b", 0)) for path in leftovers.OF_A_TRAINING]
    unnamed += [path("b", 0) for path in leftovers.IN_MODELS]
    unnamed += [paths.metrics("b"), Path("reports/scores/a.csv")]
    others = [
        Path(f"models/{name}") for name in ("README.md", "own.h5", "b/own.h5", "checkpoints/b-seed_0.npz")
    ]
    for path in [*named, *unnamed, *others, paths.metrics("a"), paths.RESULTS]:
        files.write_text(path, "x")
    assert leftovers.remove(["a"], [0]) == sorted(unnamed)
    assert all(path.exists() for path in [*named, *others, paths.metrics("a"), paths.RESULTS])
    assert not [path for path in unnamed if path.exists()]
    assert not Path("reports/scores/b").exists()
    assert leftovers.remove(["a"], [0]) == []


LOCK = """schema: '2.0'
stages:
  download:
    cmd: python stages/download.py
  train@a-0:
    cmd: python stages/train.py a 0
    deps:
    - path: data/processed
  train@a-1:
    cmd: python stages/train.py a 1
  evaluate@a-b-0:
    cmd: python stages/evaluate.py a-b 0
  report:
    cmd: python stages/report.py
"""


def test_other_records_of_dvc_lock_keep_every_byte(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_text(leftovers.LOCK, LOCK)
    leftovers.remove(["a", "a-b"], [0])
    text = leftovers.LOCK.read_text()
    assert text == LOCK.replace("  train@a-1:\n    cmd: python stages/train.py a 1\n", "")
    leftovers.remove(["c"], [0])
    assert list(yaml.safe_load(leftovers.LOCK.read_text())["stages"]) == ["download", "report"]
