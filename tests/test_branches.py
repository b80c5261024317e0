"""Teamwork with the commands of docs/branches.md and docs/experiments.md: two people, one upstream.

Ann changes model_1 on a branch. Ben tries two learning rates of model_2 as experiments, and keeps one on
a branch. Both branches land on main.
"""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from cifar10 import overrides
from tests import documents
from tests.conftest import Clone, digests, stages_in

MODELS = ["model_0", "model_1", "model_2"]
RATE = "models.model_2.optimizer.SGD.learning_rate"
VALUES = {"rate-1": 0.01, "rate-2": 1e-5}  # the first is that of main; DVC writes the second as 1e-05
CONTENT = ("*.yaml", "dvc.lock", "models/**/*.h5", "reports/**/*.json", "data/**/*.*")
DOCUMENT = Path("docs/experiments.md")
BLOCKS = [block.text for block in documents.blocks(DOCUMENT)]


class Person(Clone):
    """A clone with a cache of its own; upstream and DVC remote are shared."""

    def json(self, *command):
        return json.loads(self.run("dvc", *command, "--json"))

    def shown(self, revision, path):
        return self.run("git", "show", f"{revision}:{path}")

    def publish(self, model):
        """Commit and push a branch with another version of a model."""
        self.commit(f"Change {model}")
        self.run("dvc", "push", "--quiet", "--run-cache")
        self.run("git", "push", "--quiet", "--set-upstream", "origin", f"other-{model}")


@pytest.fixture(scope="module")
def clones(finished, module_path):
    """The clones of Ann and Ben. All models have one seed.

    They lack the files that are no part of the pipeline: DVC checks out all files for each experiment.
    """
    root = module_path
    first = Clone(root / "first")
    subprocess.run(["git", "clone", "--quiet", finished.root, first.root], check=True)
    first.run("git", "checkout", "--quiet", "-B", "main", "one-seed")
    first.run("git", "rm", "-r", "--quiet", "benchmarks", "docs", "tests")
    first.commit("Keep the pipeline")
    first.run("dvc", "cache", "dir", "--local", str(finished.root / ".dvc/cache"))
    first.run("dvc", "remote", "modify", "--local", "storage", "url", str(root / "storage"))
    first.run("dvc", "push", "--quiet", "--run-cache")
    subprocess.run(["git", "clone", "--quiet", "--bare", first.root, root / "upstream"], check=True)
    ann, ben = Person(root / "ann"), Person(root / "ben")
    subprocess.run(["git", "clone", "--quiet", root / "upstream", ann.root], check=True)
    ann.run("dvc", "remote", "modify", "--local", "storage", "url", str(root / "storage"))
    ann.run("dvc", "pull", "--quiet", "--run-cache")
    shutil.copytree(ann.root, ben.root, symlinks=True)
    return ann, ben


@pytest.fixture(scope="module")
def experimented(clones):
    """Ben's clone after two experiments, and the content before. No process is left of a test that fails."""
    _, ben = clones
    before = digests(ben.root, *CONTENT)
    ben.run("dvc", "exp", "run", "--queue", "--name", "rate", "-S", f"{RATE}=0.01,1e-5")
    assert ben.run("dvc", "queue", "status").count("Queued") == 2
    ben.run("dvc", "queue", "start", "-j", "2")
    end = time.monotonic() + 120
    while re.search("Queued|Running", ben.run("dvc", "queue", "status")) and time.monotonic() < end:
        time.sleep(3)
    ben.run("dvc", "queue", "stop")  # the workers, which otherwise wait for more work
    while processes_in(ben.root) and time.monotonic() < end:
        time.sleep(0.5)
    yield ben, before
    for process in processes_in(ben.root):
        process.kill()


def processes_in(root):
    """List the processes of this user that run in a folder or below it."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(root):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="module")
def team(finished, clones, experimented):
    """Ann and Ben, each with a trained, committed and pushed branch. Read-only, except main.

    Ann's has another model_1, Ben's another model_2. Ann does not run the stage `report`, which takes half
    of the time: her dvc.lock and reports begin as those of two seeds.
    """
    ann, ben = clones
    ann.run("git", "switch", "--quiet", "--create", "other-model_1")
    ann.run("git", "fetch", "--quiet", finished.root)
    ann.run("git", "checkout", "--quiet", "FETCH_HEAD", "--", "dvc.lock", "reports")
    ann.edit_model("model_1", "learning_rate: 0.001", "learning_rate: 0.002")
    ann.ran = stages_in(ann.run("dvc", "repro", "evaluate@model_1-0"))
    ben.run("git", "switch", "--quiet", "--create", "other-model_2")
    ben.ran = stages_in(ben.run("dvc", "queue", "logs", "rate-2"))
    ben.run("dvc", "exp", "apply", "rate-2")
    ann.publish("model_1")
    ben.publish("model_2")
    return ann, ben


def test_two_queued_experiments_run_at_once_and_leave_the_workspace_as_it_is(experimented, monkeypatch):
    ben, before = experimented
    assert processes_in(ben.root) == []
    assert "! dvc queue status | grep -w Failed" in DOCUMENT.read_text()
    ben.run("bash", "-c", "! dvc queue status | grep -w Failed")
    logs = ben.run("dvc", "queue", "logs", "rate-2")
    assert ben.run("dvc", "queue", "status").count("Success") == 2, logs
    assert stages_in(ben.run("dvc", "queue", "logs", "rate-1")) == []  # the results of main are up to date
    assert "model_2 seed 0: epoch 2/2" in logs

    (commit,) = (entry for entry in json.loads(ben.run("dvc", "exp", "show", "--json"))[1:])
    shown = {each["name"]: each["revs"][0]["data"] for each in commit["experiments"]}
    monkeypatch.chdir(ben.root)
    for name, value in VALUES.items():
        parameters = shown[name]["params"]["params.yaml"]["data"]
        _, expected = overrides.apply([f"{RATE}={value}"])
        assert parameters["models"]["model_2"]["optimizer"] == expected.models["model_2"].optimizer
        assert overrides.apply([])[1].train.model_dump() == parameters["train"]
    accuracy = {
        name: data["metrics"]["reports/metrics/model_2.json"]["data"]["validation"]["accuracy"]["mean"]
        for name, data in shown.items()
    }
    assert accuracy["rate-1"] > accuracy["rate-2"] > 0
    block = next(text for text in BLOCKS if "--drop" in text)
    documented = ben.run("bash", "-c", f"{block.strip()} --csv")
    header, *rows = (line.split(",") for line in documented.splitlines())
    assert [name for name in header if re.search("test|ood|reports/[a-z]*$", name)] == []
    column = header.index("reports/metrics/model_2.json:validation.accuracy.mean")
    assert {row[0]: float(row[column]) for row in rows if row[0]} == accuracy
    history = "reports/histories/model_2/seed_0.csv"
    plot = ["--targets", history, "-x", "epoch", "-y", "val_accuracy", "--show-vega"]
    points = json.loads(ben.run("dvc", "plots", "diff", "rate-1", "rate-2", *plot))["data"]["values"]
    assert [(each["rev"], each["epoch"]) for each in points] == [
        (name, epoch) for name in ("rate-1", "rate-2") for epoch in "12"
    ]

    assert ben.run("git", "status", "--porcelain") == ""
    assert digests(ben.root, *CONTENT) == before


def test_an_experiment_is_kept_and_none_is_left(team):
    _, ben = team
    assert "learning_rate: 1e-05" in (ben.root / "params.yaml").read_text()
    ben.run("dvc", "exp", "remove", *VALUES)
    assert ben.run("dvc", "exp", "list", "--name-only", "--all-commits") == ""


def flat(content, key=""):
    """Return all entries of a JSON file, with keys as DVC writes them."""
    if isinstance(content, dict):
        return {k: v for name, inner in content.items() for k, v in flat(inner, f"{key}.{name}").items()}
    return {key.lstrip("."): content}


def test_a_branch_trains_the_model_that_it_changes_alone(team):
    ann, ben = team
    assert sorted(ann.ran) == ["evaluate@model_1-0", "train@model_1-0"]
    assert sorted(ben.ran) == ["evaluate@model_2-0", "report", "train@model_2-0"]


def test_metrics_diff_shows_that_models_numbers_as_the_json_files_have_them(team):
    _, ben = team
    shown = ben.json("metrics", "diff", "main")
    path = "reports/metrics/model_2.json"
    assert list(shown) == [path]
    before, after = (flat(json.loads(ben.shown(at, path))) for at in ("main", "HEAD"))
    before, after = ({k: v for k, v in side.items() if k != "test.accuracies"} for side in (before, after))
    assert set(shown[path]) == {key for key in before if before[key] != after[key]}
    for key, entry in shown[path].items():
        assert (entry["old"], entry["new"]) == (before[key], after[key])
        if isinstance(before[key], float):
            assert entry["diff"] == pytest.approx(after[key] - before[key])
    assert {"test.loss.mean", "validation.loss.mean"} <= set(shown[path])
    assert ben.json("metrics", "diff", "main", "other-model_2") == shown


def test_params_diff_shows_that_one_parameter(team):
    _, ben = team
    shown = ben.json("params", "diff", "main")
    assert shown == {"params.yaml": {RATE: {"old": 0.01, "new": 1e-5, "diff": 1e-5 - 0.01}}}


def test_plots_diff_draws_both_revisions_and_only_that_models_points_differ(team):
    _, ben = team
    ben.run("dvc", "plots", "diff", "main", "--out", "dvc_plots")
    page = (ben.root / "dvc_plots/index.html").read_text()
    for title in ("Validation accuracy", "Validation loss", "Training accuracy", "Training loss"):
        assert title in page
    points = drawn(page)
    assert {point["rev"] for point in points} == {"main", "workspace"}
    sides = {
        rev: {(p["model"], p["seed"], p["epoch"]): p["val_loss"] for p in points if p["rev"] == rev}
        for rev in ("main", "workspace")
    }
    moved = {key[0] for key in sides["main"] if sides["main"][key] != sides["workspace"][key]}
    assert {model for model, *_ in sides["main"]} == set(MODELS)
    assert moved == {"model_2"}


def drawn(page):
    """Return the curve points of a `dvc plots` page, from its Vega-Lite specifications."""
    decode = json.JSONDecoder()
    points = []
    for found in re.finditer(r'"values": (?=\[)', page):
        values, _ = decode.raw_decode(page, found.end())
        points += [value for value in values if isinstance(value, dict) and "val_loss" in value]
    return points


def test_both_branches_land_on_main_and_nothing_is_trained_twice(team):
    ann, ben = team
    ben.run("git", "switch", "--quiet", "main")
    ben.run("git", "merge", "--quiet", "other-model_2")
    assert ben.repro() == []
    ben.run("git", "push", "--quiet", "origin", "main")
    own = digests(ann.root, "models/model_1/*.h5", "reports/evaluations/model_1/*.json")

    ann.run("git", "fetch", "--quiet")
    printed = ann.run("git", "merge", "origin/main", expect=1)
    for name in ("dvc.lock", "reports/results.md"):
        assert f"CONFLICT (content): Merge conflict in {name}" in printed
    assert "<<<<<<<" not in (ann.root / "params.yaml").read_text()
    ann.run("git", "checkout", "--theirs", "--", "dvc.lock", "reports")
    ann.run("git", "add", "dvc.lock", "reports")
    ann.run("dvc", "pull", "--quiet", "--run-cache")
    printed = ann.run("dvc", "repro")
    assert not [stage for stage in stages_in(printed) if stage.startswith("train")], printed
    assert "Stage 'train@model_1-0' is cached - skipping run" in printed
    ann.run("git", "add", "--all")
    ann.run("git", "commit", "--quiet", "--no-edit")
    assert digests(ann.root, *own) == own
    assert digests(ann.root, "models/model_2/*.h5") == digests(ben.root, "models/model_2/*.h5")
    for model, revision in (("model_0", "main"), ("model_2", "origin/main")):
        path = f"reports/metrics/{model}.json"
        assert (ann.root / path).read_text() == ann.shown(revision, path)
    metrics, evaluation = (
        json.loads((ann.root / f"reports/{path}.json").read_text())
        for path in ("metrics/model_1", "evaluations/model_1/seed_0")
    )
    for name in ("accuracy", "loss"):
        assert metrics["test"][name]["mean"] == evaluation["test"][name]

    ann.run("git", "push", "--quiet", "origin", "other-model_1", "HEAD:main")
    ann.run("dvc", "push", "--quiet", "--run-cache")
    ben.run("git", "pull", "--quiet", "origin", "main")
    ben.run("dvc", "pull", "--quiet")
    assert ben.repro() == []
    patterns = ("models/*/*", "reports/*/*.*", "reports/*/*/*.*")
    assert digests(ben.root, *patterns) == digests(ann.root, *patterns)
