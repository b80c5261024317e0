"""Teamwork with the commands of docs/branches.md: two people with a branch each, one upstream."""

import json
import re
import shutil
import subprocess

import pytest

from tests.conftest import Clone, digests, stages_in

MODELS = ["model_0", "model_1", "model_2"]


class Person(Clone):
    """A clone with a cache of its own; upstream and DVC remote are shared."""

    def json(self, *command):
        return json.loads(self.run("dvc", *command, "--json"))

    def shown(self, revision, path):
        return self.run("git", "show", f"{revision}:{path}")


@pytest.fixture(scope="module")
def team(finished, module_path):
    """Ann and Ben, each with a trained, committed and pushed branch. Read-only, except main.

    Ann's has another model_1, Ben's another model_2. All models have one seed. Ben does not run the stage
    `report`, which takes half of the time: his dvc.lock and reports begin as those of two seeds.
    """
    root = module_path
    first = Clone(root / "first")
    subprocess.run(["git", "clone", "--quiet", finished.root, first.root], check=True)
    first.run("git", "checkout", "--quiet", "-B", "main", "one-seed")
    first.run("dvc", "cache", "dir", "--local", str(finished.root / ".dvc/cache"))
    first.run("dvc", "remote", "modify", "--local", "storage", "url", str(root / "storage"))
    first.run("dvc", "push", "--quiet", "--run-cache")
    subprocess.run(["git", "clone", "--quiet", "--bare", first.root, root / "upstream"], check=True)
    ann, ben = Person(root / "ann"), Person(root / "ben")
    subprocess.run(["git", "clone", "--quiet", root / "upstream", ann.root], check=True)
    ann.run("dvc", "remote", "modify", "--local", "storage", "url", str(root / "storage"))
    ann.run("dvc", "pull", "--quiet", "--run-cache")
    shutil.copytree(ann.root, ben.root, symlinks=True)
    changes = (
        (ann, "model_1", "learning_rate: 0.001", "learning_rate: 0.002", []),
        (ben, "model_2", "learning_rate: 0.01", "learning_rate: 0.03", ["evaluate@model_2-0"]),
    )
    for person, model, old, new, targets in changes:
        person.run("git", "switch", "--quiet", "--create", f"other-{model}")
        person.edit_model(model, old, new)
        if targets:
            person.run("git", "fetch", "--quiet", finished.root)
            person.run("git", "checkout", "--quiet", "FETCH_HEAD", "--", "dvc.lock", "reports")
        person.ran = stages_in(person.run("dvc", "repro", *targets))
        person.commit(f"Change {model}")
        person.run("dvc", "push", "--quiet", "--run-cache")
        person.run("git", "push", "--quiet", "--set-upstream", "origin", f"other-{model}")
    return ann, ben


def flat(content, key=""):
    """Return all entries of a JSON file, with keys as DVC writes them."""
    if isinstance(content, dict):
        return {k: v for name, inner in content.items() for k, v in flat(inner, f"{key}.{name}").items()}
    return {key.lstrip("."): content}


def test_a_branch_trains_the_model_that_it_changes_alone(team):
    ann, ben = team
    assert sorted(ann.ran) == ["evaluate@model_1-0", "report", "train@model_1-0"]
    assert sorted(ben.ran) == ["evaluate@model_2-0", "train@model_2-0"]


def test_metrics_diff_shows_that_models_numbers_as_the_json_files_have_them(team):
    ann, _ = team
    shown = ann.json("metrics", "diff", "main")
    path = "reports/metrics/model_1.json"
    assert list(shown) == [path]
    before, after = (flat(json.loads(ann.shown(at, path))) for at in ("main", "HEAD"))
    before, after = ({k: v for k, v in side.items() if k != "test.accuracies"} for side in (before, after))
    assert set(shown[path]) == {key for key in before if before[key] != after[key]}
    for key, entry in shown[path].items():
        assert (entry["old"], entry["new"]) == (before[key], after[key])
        if isinstance(before[key], float):
            assert entry["diff"] == pytest.approx(after[key] - before[key])
    assert {"test.loss.mean", "validation.loss.mean"} <= set(shown[path])
    assert ann.json("metrics", "diff", "main", "other-model_1") == shown


def test_params_diff_shows_that_one_parameter(team):
    ann, _ = team
    shown = ann.json("params", "diff", "main")
    key = "models.model_1.optimizer.Adam.learning_rate"
    assert shown == {"params.yaml": {key: {"old": 0.001, "new": 0.002, "diff": 0.002 - 0.001}}}


def test_plots_diff_draws_both_revisions_and_only_that_models_points_differ(team):
    ann, _ = team
    ann.run("dvc", "plots", "diff", "main", "--out", "dvc_plots")
    page = (ann.root / "dvc_plots/index.html").read_text()
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
    assert moved == {"model_1"}


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
    ann.run("git", "switch", "--quiet", "main")
    ann.run("git", "merge", "--quiet", "other-model_1")
    assert ann.repro() == []
    ann.run("git", "push", "--quiet", "origin", "main")
    own = digests(ben.root, "models/model_2/*.h5", "reports/evaluations/model_2/*.json")

    ben.run("git", "fetch", "--quiet")
    printed = ben.run("git", "merge", "origin/main", expect=1)
    for name in ("dvc.lock", "reports/metrics/model_1.json"):
        assert f"CONFLICT (content): Merge conflict in {name}" in printed
    assert "<<<<<<<" not in (ben.root / "params.yaml").read_text()
    ben.run("git", "checkout", "--theirs", "--", "dvc.lock", "reports")
    ben.run("git", "add", "dvc.lock", "reports")
    ben.run("dvc", "pull", "--quiet", "--run-cache")
    printed = ben.run("dvc", "repro")
    assert not [stage for stage in stages_in(printed) if stage.startswith("train")], printed
    assert "Stage 'train@model_2-0' is cached - skipping run" in printed
    ben.run("git", "add", "--all")
    ben.run("git", "commit", "--quiet", "--no-edit")
    assert digests(ben.root, *own) == own
    assert digests(ben.root, "models/model_1/*.h5") == digests(ann.root, "models/model_1/*.h5")
    for model, revision in (("model_0", "main"), ("model_1", "origin/main")):
        path = f"reports/metrics/{model}.json"
        assert (ben.root / path).read_text() == ben.shown(revision, path)
    metrics, evaluation = (
        json.loads((ben.root / f"reports/{path}.json").read_text())
        for path in ("metrics/model_2", "evaluations/model_2/seed_0")
    )
    for name in ("accuracy", "loss"):
        assert metrics["test"][name]["mean"] == evaluation["test"][name]

    ben.run("git", "push", "--quiet", "origin", "other-model_2", "HEAD:main")
    ben.run("dvc", "push", "--quiet", "--run-cache")
    ann.run("git", "pull", "--quiet", "origin", "main")
    ann.run("dvc", "pull", "--quiet")
    assert ann.repro() == []
    assert digests(ann.root, "models/*/*", "reports/*/*.*", "reports/*/*/*.*") == digests(
        ben.root, "models/*/*", "reports/*/*.*", "reports/*/*/*.*"
    )
