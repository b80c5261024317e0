"""Where the models come from, and what changed since they were made."""

import json
import shutil

import pytest

from cifar10.app import provenance

MODELS = ["model_0", "model_1", "model_2"]


def test_provenance_names_what_changed_since_the_models_were_made(workspace, monkeypatch):
    monkeypatch.chdir(workspace.root)
    assert provenance.find(MODELS).changed == []
    workspace.edit_model("model_1", "units: 1000", "units: 999")
    (workspace.root / "cifar10/training/models.py").open("a").write("# changed\n")
    (workspace.root / "models/model_2.h5").write_bytes(b"another")
    assert provenance.find(MODELS).changed == [
        "cifar10/training",
        "models.model_1 in params.yaml",
        "models/model_2.h5",
    ]
    (workspace.root / "dvc.lock").unlink()
    found = provenance.find(MODELS)
    assert found.changed == ["dvc.lock"]
    head = workspace.run("git", "rev-parse", "--short", "HEAD").strip()
    assert found.revision == f"a run that is not committed, after git revision {head}"
    (workspace.root / "dvc.lock").write_text("stages: [")
    assert provenance.find(MODELS).changed is None


def test_models_without_data_and_reports_have_not_changed(workspace, monkeypatch):
    monkeypatch.chdir(workspace.root)
    for name in ("data/raw", "data/processed", "reports/histories", "reports/predictions"):
        shutil.rmtree(workspace.root / name)
    shutil.rmtree(workspace.root / "reports/scores")
    workspace.run("dvc", "cache", "dir", "--local", str(workspace.root / "empty"))
    assert provenance.find(MODELS).changed == []
    (workspace.root / "models/model_0.h5").unlink()
    assert provenance.find(MODELS).changed == ["models/model_0.h5"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"official": True}, "CIFAR-10, the official archive (SHA-256 01234567…)"),
        ({"official": False}, "a copy of CIFAR-10, not the official archive (SHA-256 01234567…)"),
        (None, "unknown data (data/raw/source.json not found)"),
    ],
    ids=["official", "copy", "unknown"],
)
def test_provenance_says_which_data(tmp_path, monkeypatch, source, words):
    monkeypatch.chdir(tmp_path)
    if source:
        (tmp_path / "data/raw").mkdir(parents=True)
        content = {"source": "cifar10", "sha256": "0123456789abcdef", **source}
        (tmp_path / "data/raw/source.json").write_text(json.dumps(content))
    assert provenance.find([]).data == words
    assert provenance.find([]).revision == "an unknown revision"
