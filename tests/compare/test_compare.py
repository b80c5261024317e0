"""`make compare` on clones: the page is compared with what the files of both sides give by other ways."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import yaml
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from cifar10.compare import git_revision
from cifar10.errors import UserError
from tests import documents
from tests.compare.clones import (
    changed_metrics,
    copy,
    hits,
    page,
    predictions,
    read,
    section,
    set_cache,
    set_right,
    show,
    table,
)
from tests.compare.sides import limits
from tests.conftest import Clone, lend_environment

CHANGED = {"model_1": [(12, 1), (20, 3)], "model_2": [(6, 5), (4, 9)]}  # answers lost and gained, by seed


@pytest.fixture(scope="module")
def team(finished, module_path):
    """A clone with main and, checked out, my-branch: another model_1 and model_2. Read only.

    The branch's results are made up, so that the differences are known, and recorded by DVC.
    """
    clone = Clone(module_path / "team")
    subprocess.run(["git", "clone", "--quiet", finished.root, clone.root], check=True)
    clone.cache = clone.root / ".dvc/cache"
    shutil.copytree(finished.root / ".dvc/cache", clone.cache, dirs_exist_ok=True)
    clone.run("git", "checkout", "--quiet", "-B", "main")
    clone.run("dvc", "checkout", "--quiet")
    clone.run("git", "checkout", "--quiet", "-b", "my-branch")
    clone.edit_model("model_1", "learning_rate: 0.001", "learning_rate: 0.002")
    clone.edit_model("model_2", "units: 200", "units: 300")
    for name, counts in CHANGED.items():
        for seed, (lost, gained) in enumerate(counts):
            set_right(clone, name, seed, lost, gained)
    shutil.copy(clone.root / "reports/figures/loss.png", clone.root / "reports/figures/accuracy.png")
    clone.run("dvc", "commit", "--quiet", "--force", "train", "evaluate")
    clone.commit("Change two models")
    return clone


@pytest.fixture(scope="module")
def team_page(team):
    """The page of my-branch, compared with main."""
    return page(team)


@pytest.fixture(scope="module")
def odd(team, module_path):
    """A clone with six oddities, committed; and its page."""
    own = copy(team, module_path / "odd")
    own.run("git", "remote", "set-url", "origin", "https://github.com/owner/repo.name.git")
    own.run("git", "checkout", "--quiet", "main")
    own.edit(
        "params.yaml",
        "seed: 0                   # of the images",
        "seed: 1                   # of the images",
    )
    own.commit()
    own.run("git", "checkout", "--quiet", "my-branch")
    with changed_metrics(own, "model_0") as metrics:
        own.arithmetic = metrics["model"]["trained_on"]
        metrics["model"]["trained_on"] = "Darwin arm64"
    (own.root / "reports/metrics/model_1.json").write_text("{")
    path = own.root / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    for entry in lock["stages"]["evaluate@model_2-0"]["deps"]:
        if entry["path"] == "data/processed/test":
            entry["md5"] = "0" * 32 + ".dir"
    path.write_text(yaml.safe_dump(lock))
    own.edit("cifar10/training/image_order.py", ".permutation(images)", ".permutation(9)")
    own.commit()
    return own, page(own)


@pytest.fixture(scope="module")
def renamed(team, module_path):
    """A clone with a renamed model, one of an earlier version and one that is not run; and its page."""
    own = copy(team, module_path / "renamed")
    content = yaml.safe_load((own.root / "params.yaml").read_text())
    content["models"]["linear"] = content["models"].pop("model_0")
    (own.root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    metrics = own.root / "reports/metrics"
    (metrics / "model_0.json").rename(metrics / "linear.json")
    (metrics / "model_1.json").write_text('{"test": {"accuracy": 0.5}}')
    own.edit_model("model_2", "learning_rate: 0.01", "learning_rate: 0.02")
    own.commit()
    return own, page(own)


def shown_limits(before, after, level):
    """Difference and interval of two models from bool (S, N), as the page has them."""
    difference, low, high = (100 * limit for limit in limits(before, after, level))
    return f"{difference:+.2f} points", f"{low:+.2f} to {high:+.2f}"


def test_make_prints_the_page_and_writes_it_with_the_figures_of_both_sides(team, team_page):
    lend_environment(team.root)
    process = team.start("make", "compare", PYTHONPATH=str(team.root))
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    assert set(team_page.splitlines()) <= set(printed.splitlines())
    assert team.run("git", "status", "--porcelain") == ""  # comparison/ is ignored
    folder = team.root / "comparison"
    links = documents.links(folder / "comparison.md")
    assert links == ["before/accuracy.png", "after/accuracy.png"]
    for link, revision in zip(links, ("main", "my-branch"), strict=True):
        assert (folder / link).read_bytes() == show(team, revision, "reports/figures/accuracy.png")


def test_the_page_shows_the_parameters_that_dvc_says_differ(team, team_page):
    asked = json.loads(team.run("dvc", "params", "diff", "main", "my-branch", "--json"))["params.yaml"]
    assert {key.split(".")[1] for key in asked} == {"model_1", "model_2"}
    assert table(section(team_page, "Parameters")) == [
        ["models.model_1.optimizer.Adam.learning_rate", "0.001", "0.002"],
        ["models.model_2.layers[3].Dense.units", "200", "300"],
    ]


def test_the_metrics_and_differences_are_those_of_the_json_files(team, team_page):
    rows = table(section(team_page, "Test metrics"))
    keys = {"test loss": "loss", "macro F1": "macro_f1", "calibration error": "calibration_error"}
    seen = []
    for model, metric, before, after, difference, *_ in rows:
        sides = [json.loads(show(team, at, f"reports/metrics/{model}.json")) for at in ("main", "my-branch")]
        if metric in keys:
            found = [side["test"][keys[metric]] for side in sides]
            old, new = (entry["mean"] for entry in found)
            assert [before, after] == [f"{entry['mean']:.4f} ± {entry['sd']:.4f}" for entry in found]
            assert difference == ("0" if old == new else f"{new - old:+.4f}")
        elif metric == "test accuracy":
            found = [side["test"]["accuracy"] for side in sides]
            old, new = (100 * entry["mean"] for entry in found)
            shown = [f"{100 * entry['mean']:.2f} ± {100 * entry['sd']:.2f} %" for entry in found]
            assert [before, after, difference] == [*shown, f"{new - old:+.2f} points"]
        else:
            paths = [team.root / f"reports/ood/{model}/seed_{seed}.json" for seed in (0, 1)]
            detections = [json.loads(path.read_text()) for path in paths]
            rates = [100 * entry["scores"][entry["score"]]["tpr"] for entry in detections]
            shown = f"{np.mean(rates):.2f} ± {np.std(rates, ddof=1):.2f} %"
            assert (before, after, difference) == (shown, shown, "0")
        seen.append((model, metric))
    names = ["test accuracy", *keys, "OOD detection TPR"]
    assert seen == [(model, name) for model in ("model_1", "model_2") for name in names]
    assert "The same on both sides: `model_0`." in team_page


def test_the_verdicts_follow_from_the_predictions_of_all_seeds(team, team_page):
    rows = {tuple(row[:2]): row[4:] for row in table(section(team_page, "Test metrics"))}
    for model, counts in CHANGED.items():
        sides = [predictions(team, at, model) for at in ("main", "my-branch")]
        flips = [((a & ~b).sum(), (b & ~a).sum()) for a, b in zip(*sides, strict=True)]
        assert flips == counts
        *shown, verdict = rows[model, "test accuracy"]
        assert (*shown, verdict) == (*shown_limits(*sides, 0.05 / 2), "not decided")
        files = [json.loads(show(team, at, f"reports/metrics/{model}.json")) for at in ("main", "my-branch")]
        losses = [file["test"]["loss"] for file in files]
        half = stats.t.ppf(1 - 0.05 / 4, 1) * np.hypot(*(loss["sd"] for loss in losses)) / np.sqrt(2)
        moved = losses[1]["mean"] - losses[0]["mean"]
        word = "more than seeds explain" if abs(moved) > half else "within the spread over seeds"
        assert rows[model, "test loss"][1:] == [f"{moved - half:+.4f} to {moved + half:+.4f}", word]
        assert rows[model, "macro F1"] == ["0", "–", "–"]  # noqa: RUF001
    moved = [f"`{model}` {rows[model, 'test accuracy'][0]}" for model in CHANGED]
    line = f"- **Not decided**, seeds and test images can explain it: test accuracy of {', '.join(moved)}.\n"
    assert line in team_page
    assert "the same predictions on both sides: `model_0`." in team_page
    assert "(360 images); the intervals hold for all 2 models together" in team_page


def test_a_branch_compared_with_itself_differs_in_nothing(team, team_page):
    text = page(team, "my-branch")
    assert "**Nothing differs**" in text
    assert "##" not in text
    for part in ("**Nothing differs**", "lacks", "was computed on", "are not those of its code"):
        assert part not in team_page


def test_an_unknown_base_is_one_line_that_lists_branches_and_tags(renamed):
    own, _ = renamed
    own.run("git", "tag", "v1")
    printed = own.run("python", "-m", "cifar10.compare", "no-such", expect=2, PYTHONPATH=str(own.root))
    assert printed.startswith("error: BASE: got 'no-such', expected ")
    assert printed.count("\n") == 1
    assert [name for name in ("main", "my-branch", "origin/main", "v1") if name not in printed] == []


@pytest.mark.parametrize("base", ["", "--help-me", "main..my-branch", "HEAD:params.yaml"])
def test_what_is_no_commit_is_no_base(team, base):
    with pytest.raises(UserError, match="BASE: got"):
        page(team, "--", base)


def test_a_branch_that_is_on_origin_alone_is_found(team, monkeypatch):
    monkeypatch.chdir(team.root)
    team.run("git", "update-ref", "refs/remotes/origin/other", "main")
    found = git_revision.named("other")
    assert (found.label, found.commit) == ("origin/other", team.run("git", "rev-parse", "main").strip())


def test_outside_a_clone_it_says_so(tmp_path):
    with pytest.raises(UserError, match="expected a git repository, found none"):
        page(Clone(tmp_path))


def test_predictions_come_from_the_remote_and_those_that_are_nowhere_are_named(team, tmp_path):
    own, storage = copy(team, tmp_path / "clone"), str(tmp_path / "storage")
    set_cache(own, tmp_path / "empty")
    for clone in (team, own):
        clone.run("dvc", "remote", "modify", "--local", "storage", "url", storage)
    team.run(
        "dvc",
        "push",
        "--quiet",
        "--all-branches",
        "evaluate@model_1-0",
        "evaluate@model_1-1",
        "evaluate@model_2-0",
    )
    text = page(own)
    for side in ("main", "my-branch"):
        path = "reports/predictions/model_2/seed_1.csv"
        assert f"- `{path}` of `{side}` is in neither the DVC cache nor the remote" in text
    assert text.count("is in neither") == 2
    reason = "its predictions in main (seed 1) and my-branch (seed 1) are not available."
    assert f"`model_2` is not tested: {reason}" in text
    assert "- **Not tested**: test accuracy of `model_2` " in text
    assert str(own.root) not in text
    rows = table(section(text, "Test metrics"))
    assert len(rows) == 10
    sides = [predictions(team, at, "model_1") for at in ("main", "my-branch")]
    assert tuple(rows[0][4:6]) == shown_limits(*sides, 0.05)  # alone
    assert rows[5][5:] == ["–", "–"]  # noqa: RUF001
    assert "accuracy.png" in section(text, "Figures")


def test_uncommitted_changes_are_compared_as_they_are_and_labelled(team, tmp_path):
    own = copy(team, tmp_path / "clone")
    own.run("dvc", "checkout", "--quiet")
    own.run("git", "remote", "set-url", "origin", "https://github.com/owner/repo")
    own.edit_model("model_0", "learning_rate: 0.001", "learning_rate: 0.004")
    set_right(own, "model_1", 0, 0, 2)
    with changed_metrics(own, "model_2") as metrics:
        metrics["test"]["accuracies"][1] /= 2
    (own.root / "reports/figures/accuracy.png").write_bytes(b"new")
    text = page(own)
    assert "# `workspace of my-branch` compared with `main`" in text
    assert "**with uncommitted changes**" in text
    assert ["models.model_0.optimizer.Adam.learning_rate", "0.001", "0.004"] in table(text)
    sentence = "The results of `model_0` and `model_1` in `workspace of my-branch` are not those of its code"
    assert f"{sentence} and parameters" in text
    edited = np.array(
        [hits(read(own.root / f"reports/predictions/model_1/seed_{seed}.csv")) for seed in (0, 1)]
    )
    (row,) = [row for row in table(section(text, "Test metrics")) if row[:2] == ["model_1", "test accuracy"]]
    assert tuple(row[4:6]) == shown_limits(predictions(team, "main", "model_1"), edited, 0.05)
    assert edited.sum() == predictions(team, "my-branch", "model_1").sum() + 2
    assert (
        "`model_2` is not tested: its predictions of workspace of my-branch do not give its test accur"
        in text
    )
    ((_, before, after),) = table(section(text, "Figures"))
    assert before.startswith("![accuracy.png](https://github.com/owner/repo/raw/")
    assert after == "not committed"


def test_other_seeds_of_a_model_are_no_difference(team, tmp_path):
    """The same models with one of the two seeds, then with the other one."""
    own = copy(team, tmp_path / "clone")
    for seed in (0, 1):
        own.run("git", "checkout", "--quiet", "origin/my-branch", "--", "params.yaml", "reports")
        own.edit("params.yaml", "seeds: [0, 1]", f"seeds: [{seed}]")
        for name in ("model_0", "model_1", "model_2"):
            with changed_metrics(own, name) as metrics:
                accuracy = metrics["test"]["accuracies"][seed]
                metrics["test"] |= {"accuracies": [accuracy], "accuracy": {"mean": accuracy, "sd": None}}
                metrics["seeds"] = 1
        own.commit()
        own.run("git", "tag", f"seed-{seed}")
    text = page(own)
    assert (
        "**Only the seeds differ** in `model_0`: the same model, trained less often (once instead of 2"
        in text
    )
    assert "**No verdict**, one training: the spread over seeds is unknown (`my-branch`): test acc" in text
    p_values = []
    rows = table(section(text, "Significance"))
    for model, seeds, images, *counts in (row[:5] for row in rows):
        assert (seeds, images, tuple(map(int, counts))) == ("1", "360", CHANGED[model][1])
        before, after = (predictions(team, at, model)[1] for at in ("main", "my-branch"))
        cells = [[int(((before == a) & (after == b)).sum()) for b in (True, False)] for a in (True, False)]
        p_values.append(mcnemar(cells, exact=True).pvalue)
    decided, corrected, *_ = multipletests(p_values, method="holm")
    assert [row[0] for row in rows] == [*CHANGED]
    assert [row[7] for row in rows] == [f"= {p_value:.4f}" for p_value in corrected]
    words = {True: "significant", False: "not significant"}
    assert [row[8] for row in rows] == [words[bool(one)] for one in decided] == [words[True], words[False]]
    text = page(own, "seed-0")
    names = "`model_0`, `model_1` and `model_2`"
    line = f"**Only the seeds differ** in {names}: the same models, trained with other seeds (once on each"
    assert line in text
    assert "two files of" not in text


@pytest.fixture(scope="module")
def unreadable(team, module_path):
    return copy(team, module_path / "unreadable")


@pytest.mark.parametrize("text", [None, "a: [", "[]", "data: {source: digits}"])
def test_a_commit_without_readable_parameters_is_one_line(unreadable, text):
    path = unreadable.root / "params.yaml"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    unreadable.commit()
    with pytest.raises(UserError, match=r"^HEAD: .*params\.yaml") as error:
        page(unreadable, "HEAD")
    assert "\n" not in str(error.value)


def test_metrics_of_a_version_with_one_training_per_model_are_left_out(renamed):
    _, text = renamed
    path = "`reports/metrics/model_1.json` of `my-branch`"
    assert f"{path} is of a version that trained each model once" in text
    assert "`model_1` is not tested: no metrics in my-branch." in text


def test_an_added_and_a_removed_model_are_named(renamed):
    own, text = renamed
    assert "Only in `my-branch`: `linear`." in text
    assert "Only in `main`: `model_0`." in text
    accuracy = json.loads((own.root / "reports/metrics/linear.json").read_text())["test"]["accuracy"]
    shown = f"{100 * accuracy['mean']:.2f} ± {100 * accuracy['sd']:.2f} %"
    rows = table(section(text, "Test metrics"))
    assert ["linear", "test accuracy", "–", shown, "–", "–", "–"] in rows  # noqa: RUF001
    assert ["model_0", "test accuracy", shown, "–", "–", "–", "–"] in rows  # noqa: RUF001
    assert "linear" not in section(text, "Significance")


def test_results_of_other_parameters_or_code_are_named(renamed, odd):
    _, text = renamed
    assert (
        "The results of `model_2` and `linear` in `my-branch` are not those of its code and parameters"
        in text
    )
    models = "`model_0`, `model_1` and `model_2`"
    assert f"The results of {models} in `my-branch` are not those of its code and parameters" in odd[1]


def test_a_model_that_another_arithmetic_computed_is_named(odd):
    own, text = odd
    expected = (
        f"- `model_0` was computed on {own.arithmetic} in `main` and on Darwin arm64 / {own.arithmetic} in "
        "`my-branch`: part of the difference can be rounding."
    )
    assert expected in text


def test_other_test_images_are_no_pairs(odd):
    assert "`model_2` is not tested: measured on other test images" in odd[1]


def test_a_damaged_file_is_named_and_the_rest_comes(odd):
    _, text = odd
    assert "`reports/metrics/model_1.json` of `my-branch` is damaged" in text
    assert "`model_1` is not tested: no metrics in my-branch." in text
    assert "model_2" in section(text, "Test metrics")


def test_commits_that_the_branch_lacks_are_counted(odd):
    assert "`my-branch` lacks 1 commit of `main`" in odd[1]


def test_figures_are_linked_by_commit_if_origin_is_on_github(odd):
    own, text = odd
    commits = [own.run("git", "rev-parse", at).strip() for at in ("main", "my-branch")]
    links = [
        f"![accuracy.png](https://github.com/owner/repo.name/raw/{commit}/reports/figures/accuracy.png)"
        for commit in commits
    ]
    assert table(section(text, "Figures")) == [["accuracy.png", *links]]
    assert "The same on both sides: " in section(text, "Figures")


def test_help_says_what_it_does(team):
    assert "BASE" in team.run("python", "-m", "cifar10.compare", "--help", PYTHONPATH=str(team.root))
