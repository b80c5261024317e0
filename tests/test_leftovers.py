"""Results of models and seeds that params.yaml no longer names are deleted, and count nowhere."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from cifar10 import files, leftovers, paths
from tests.conftest import Clone, copy_or_link

TINY = {
    "optimizer": {"SGD": {"learning_rate": 0.01}},
    "layers": [{"Flatten": {}}, {"Dense": {"units": "num_classes", "activation": "softmax"}}],
}


def choose(clone, models, seeds):
    """Set models, all tiny, and seeds in params.yaml."""
    path = clone.root / "params.yaml"
    content = yaml.safe_load(path.read_text())
    content["train"] |= {"seeds": seeds, "epochs": 1}
    content["models"] = dict.fromkeys(models, TINY)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.fixture(scope="module")
def trained(finished, module_path):
    """A clone with two tiny models of two seeds each, pushed to a folder. Each test changes a copy."""
    clone = Clone(module_path / "clone")
    subprocess.run(["git", "clone", "--quiet", finished.root, clone.root], check=True)
    clone.run("dvc", "cache", "dir", "--local", str(finished.root / ".dvc/cache"))
    clone.run("dvc", "checkout", "--quiet", "data/raw", "data/processed")
    clone.run("dvc", "remote", "modify", "storage", "url", str(clone.root.parent / "storage"))
    choose(clone, ["one", "two"], [0, 1])
    clone.repro()
    clone.commit("Train two seeds of two models")
    clone.run("dvc", "push", "--quiet")
    return clone


@pytest.fixture
def own(trained, tmp_path):
    """A copy of the clone with all that lies in it."""
    shutil.copytree(trained.root, tmp_path / "own", symlinks=True, copy_function=copy_or_link)
    return Clone(tmp_path / "own")


def fresh(clone, target):
    """Commit and push the results of a clone; pull them into a new clone with a cache of its own."""
    clone.commit("Change the models or seeds")
    clone.run("dvc", "push", "--quiet")
    subprocess.run(["git", "clone", "--quiet", clone.root, target], check=True)
    colleague = Clone(target)
    colleague.run("dvc", "pull", "--quiet")
    return colleague


def content(root):
    """List the files of results and models, without checkpoints and logs."""
    found = {
        path for folder in ("models", "reports") for path in (root / folder).rglob("*") if path.is_file()
    }
    return {str(path.relative_to(root)) for path in found if "checkpoints" not in path.parts}


def recorded(clone):
    """Return what dvc.lock says of each stage."""
    return yaml.safe_load((clone.root / "dvc.lock").read_text())["stages"]


@pytest.mark.parametrize(
    ("models", "seeds", "ran"),
    [
        (["one", "two"], [1], {"report"}),
        (["one", "three"], [0], {"train", "evaluate", "report"}),
    ],
    ids=["first seed removed", "model renamed and last seed removed"],
)
def test_what_is_removed_leaves_a_clone_as_a_fresh_one(trained, own, tmp_path, models, seeds, ran):
    before = {"models": ["one", "two"], "seeds": [0, 1]}
    choose(own, models, seeds)
    stages = own.repro()
    assert {stage.partition("@")[0] for stage in stages} == ran
    assert not [stage for stage in stages if stage.startswith("train@") and "three" not in stage]
    assert "up to date" in own.run("dvc", "status")
    colleague = fresh(own, tmp_path / "colleague")
    assert "up to date" in colleague.run("dvc", "status")
    assert colleague.repro() == []
    assert colleague.run("git", "status", "--porcelain") == ""
    assert content(colleague.root) == content(own.root)
    expected = [
        f"{stage}@{model}-{seed}" for stage in ("train", "evaluate") for model in models for seed in seeds
    ]
    assert sorted(recorded(own)) == sorted(["download", "preprocess", "audit", *expected, "report"])
    if models == before["models"]:  # the run-cache has the seeds that come back
        choose(own, **before)
        assert own.repro() == ["report"]
        assert recorded(own) == recorded(trained)


def test_a_run_from_nothing_records_the_same(own, tmp_path):
    choose(own, ["one"], [1])
    own.repro()
    own.commit("Keep one training")
    subprocess.run(["git", "clone", "--quiet", own.root, tmp_path / "anew"], check=True)
    anew = Clone(tmp_path / "anew")
    (anew.root / "dvc.lock").unlink()
    anew.repro()
    locks = [yaml.safe_load((clone.root / "dvc.lock").read_text()) for clone in (own, anew)]
    assert locks[0] == locks[1]
    assert content(own.root) == content(anew.root)


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
