"""The whole pipeline in scratch clones, through a user's commands."""

import csv
import json
import shutil
from itertools import product

import numpy as np
import pytest

from tests import recorder
from tests.conftest import DATA, digests

MODELS = ["model_0", "model_1", "model_2"]


def test_repro_runs_every_stage_once_and_leaves_git_clean(finished):
    stages = [f"{stage}@{name}-0" for stage in ("train", "evaluate") for name in MODELS]
    assert sorted(finished.first_run) == sorted(["download", "preprocess", "audit", *stages, "report"])
    assert finished.run("git", "status", "--porcelain") == ""
    assert "up to date" in finished.run("dvc", "status")


def test_the_first_training_asks_nobody(finished):
    """Its data is part of scikit-learn."""
    events = recorder.read(finished.root.parent)
    own = ("socket.bind ('::1', 0)", "socket.bind ('127.0.0.1', 0)")  # urllib3 looks whether there is IPv6
    assert [event for event in events if event.startswith("socket.") and event not in own] == []
    assert any("reports/histories/model_0" in event for event in events)  # the record is kept


def test_another_seed_trains_that_seed_alone(finished):
    stages = [f"{stage}@{name}-1" for stage in ("train", "evaluate") for name in MODELS]
    assert sorted(finished.second_run) == sorted([*stages, "report"])


def test_repro_again_runs_nothing(finished):
    assert finished.repro() == []


def test_the_predictions_are_of_all_test_images_and_give_the_metrics(finished):
    for name, seed in product(MODELS, (0, 1)):
        with (finished.root / f"reports/predictions/{name}/seed_{seed}.csv").open() as file:
            rows = list(csv.DictReader(file))
        path = finished.root / f"reports/evaluations/{name}/seed_{seed}.json"
        metrics = json.loads(path.read_text())
        right = sum(row["actual"] == row["predicted"] for row in rows)
        assert len(rows) == 360  # a fifth of 1,797, rounded up
        assert metrics["test"]["accuracy"] == right / 360
        for row in rows[:20]:
            probabilities = {
                key: float(value) for key, value in row.items() if key.startswith("probability_")
            }
            assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
            assert max(probabilities, key=probabilities.get) == f"probability_{row['predicted']}"


def test_the_share_of_corrupted_images_is_that_of_their_scores(finished):
    found = json.loads((finished.root / "reports/ood/model_0/seed_1.json").read_text())
    with (finished.root / "reports/scores/model_0/seed_1.csv").open() as file:
        rows = list(csv.DictReader(file))
    threshold = np.float32(found["scores"]["combined"]["threshold"])
    assert [*found["corrupted"]] == ["jpeg", "blur", "contrast", "noise"]
    for kind, share in found["corrupted"].items():
        scores = [np.float32(row["id_score"]) for row in rows if row["dataset"] == f"test_{kind}"]
        assert len(scores) == 360
        expected = np.mean([score >= threshold for score in scores])
        assert share == pytest.approx(expected, abs=3 / 360)  # float32 can round to the threshold


def test_the_trained_models_are_better_than_chance(finished):
    metrics = {n: json.loads((finished.root / f"reports/metrics/{n}.json").read_text()) for n in MODELS}
    assert metrics["model_0"]["test"]["accuracy"]["mean"] > 0.5
    assert metrics["model_1"]["test"]["accuracy"]["mean"] > 0.5


def test_the_metrics_are_means_and_deviations_over_the_seeds(finished):
    for name in MODELS:
        metrics = json.loads((finished.root / f"reports/metrics/{name}.json").read_text())
        files = [finished.root / f"reports/evaluations/{name}/seed_{seed}.json" for seed in (0, 1)]
        values = [json.loads(file.read_text())["test"]["accuracy"] for file in files]
        assert metrics["seeds"] == 2
        assert metrics["test"]["accuracy"]["mean"] == pytest.approx(np.mean(values))
        assert metrics["test"]["accuracy"]["sd"] == pytest.approx(np.std(values, ddof=1))
        assert (
            f"{100 * np.mean(values):.2f} ± {100 * np.std(values, ddof=1):.2f} %"
            in (finished.root / "reports/results.md").read_text()
        )


def test_another_seed_adds_the_ensemble_to_the_metrics_and_no_entry_per_seed(finished):
    for name in MODELS:
        path = f"reports/metrics/{name}.json"
        one = json.loads(finished.run("git", "show", f"one-seed:{path}"))
        two = json.loads((finished.root / path).read_text())
        assert keys(one) <= keys(two)
        assert {key.split(".")[1] for key in keys(two) - keys(one)} == {"ensemble"}


def keys(content, key=""):
    """Return the keys of all entries of a JSON file, as `dvc metrics diff` writes them."""
    if isinstance(content, dict):
        return {path for name, inner in content.items() for path in keys(inner, f"{key}.{name}")}
    return {key}


def test_git_holds_no_model_image_or_prediction(finished):
    tracked = finished.run("git", "ls-files").splitlines()
    folders = ("predictions", "histories", "evaluations", "ood", "report.")
    kept_by_dvc = ("data/raw", "data/processed", *(f"reports/{name}" for name in folders))
    assert [name for name in tracked if name.endswith((".h5", ".npy")) or name.startswith(kept_by_dvc)] == []
    kept = ("metrics/model_0.json", "cards/model_0.md", "curves.csv", "results.md")
    for name in ("dvc.lock", *(f"reports/{name}" for name in kept)):
        assert name in tracked


def test_a_colleague_pulls_and_runs_nothing(finished, tmp_path):
    finished.run("dvc", "push", "--quiet")
    colleague = type(finished)(tmp_path / "colleague")
    finished.run("git", "clone", "--quiet", ".", str(colleague.root))
    colleague.run(
        "dvc", "remote", "modify", "--local", "storage", "url", str(finished.root.parent / "cifar10-storage")
    )
    colleague.run("dvc", "pull", "--quiet", "models/model_0/seed_0.h5")
    assert [*digests(colleague.root, "models/*/*.h5")] == ["models/model_0/seed_0.h5"]
    colleague.run("dvc", "pull", "--quiet")
    assert colleague.repro() == []
    assert digests(colleague.root, "models/*/*") == digests(finished.root, "models/*/*")


def test_without_validation_the_pipeline_still_ends_in_a_report(workspace):
    workspace.edit("params.yaml", "validation_fraction: 0.1", "validation_fraction: 0")
    workspace.edit("params.yaml", "seeds: [0, 1]", "seeds: [1]")
    workspace.edit("params.yaml", "epochs: 2", "epochs: 1")
    workspace.keep_models("model_0")
    workspace.keep_records(*DATA)
    assert workspace.repro()[-1] == "report"
    metrics = json.loads((workspace.root / "reports/metrics/model_0.json").read_text())
    assert "validation" not in metrics
    detection = json.loads((workspace.root / "reports/ood/model_0/seed_1.json").read_text())
    assert detection["threshold_data"] == "training"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["stages/train.py", "model_9", "0"], ["models", "'model_9'", "model_0, model_1, model_2"]),
        (["stages/evaluate.py", "model_9", "0"], ["models", "'model_9'"]),
        (["stages/train.py", "model_0", "7"], ["train.seeds: got '7', expected one of 0, 1"]),
        (["stages/evaluate.py", "model_0", "-1"], ["train.seeds: got '-1', expected one of 0, 1"]),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(finished, command, words):
    printed = finished.run("python", *command, expect=2)
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert [word for word in words if word not in printed] == []


@pytest.mark.parametrize("stage", ["download", "preprocess", "train", "evaluate", "report"])
def test_help_and_a_missing_params_file(finished, tmp_path, stage):
    shutil.copytree(finished.root / "stages", tmp_path / "stages")
    shutil.copytree(finished.root / "cifar10", tmp_path / "cifar10")
    clone = type(finished)(tmp_path)
    model = ["model_0", "0"] if stage in ("train", "evaluate") else []
    assert "usage:" in clone.run("python", f"stages/{stage}.py", "--help")
    printed = clone.run("python", f"stages/{stage}.py", *model, expect=2)
    assert "error: params.yaml not found" in printed
    assert printed.count("\n") == 1


def test_a_stage_without_data_says_what_to_run(finished, tmp_path):
    clone = type(finished)(tmp_path / "empty")
    finished.run("git", "clone", "--quiet", ".", str(clone.root))
    for stage in (["train.py", "model_0", "0"], ["audit.py"]):
        printed = clone.run("python", f"stages/{stage[0]}", *stage[1:], expect=2)
        assert "dvc repro" in printed
        assert "Traceback" not in printed
