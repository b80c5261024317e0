"""Where the models come from, and what no longer fits them."""

import json

import pytest

from cifar10.app import provenance
from tests.webapp import MODELS, SEEDS


def test_provenance_names_what_no_longer_fits_the_models(workspace, monkeypatch):
    monkeypatch.chdir(workspace.root)
    assert provenance.find(MODELS, SEEDS).changed == []
    workspace.edit_model("model_1", "units: 200", "units: 199")
    workspace.edit("cifar10/training/models.py", "PREDICTION_BATCH = 64", "PREDICTION_BATCH = 32")
    (workspace.root / "models/model_2/seed_1.h5").write_bytes(b"another")
    assert provenance.find(MODELS, SEEDS).changed == [
        "cifar10/training",
        "models.model_1 in params.yaml",
        "models/model_2/seed_1.h5",
    ]
    (workspace.root / "dvc.lock").write_text("stages: {}\n")
    found = provenance.find(MODELS, SEEDS)
    assert found.changed is None
    head = workspace.run("git", "rev-parse", "--short", "HEAD").strip()
    assert found.revision == f"a run that is not committed, after git revision {head}"


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
    assert provenance.find([], []).data == words
    assert provenance.find([], []).revision == "an unknown revision"
