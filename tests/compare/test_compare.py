"""`make compare`: the page is compared with what the files of both sides give by other ways."""

import csv
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from cifar10.compare import __main__ as compare
from cifar10.compare import diff, paired
from cifar10.compare import page as comparison_page
from cifar10.compare.diff import ABSENT, Change
from cifar10.compare.paired import Paired
from cifar10.compare.side import Side
from cifar10.errors import UserError
from tests import documents
from tests.conftest import Clone, lend_environment


def copy(clone, target):
    """Clone a clone, all its branches, with its cache."""
    subprocess.run(["git", "clone", "--quiet", clone.root, target], check=True)
    made = Clone(target)
    for branch in ("main", "my-branch"):
        made.run("git", "checkout", "--quiet", "-B", branch, f"origin/{branch}")
    made.cache = clone.cache
    made.run("dvc", "cache", "dir", "--local", str(made.cache))
    return made


def set_right(clone, name, lost, gained):
    """Have a model with seed 0 get `lost` right answers wrong and `gained` wrong ones right."""
    path = clone.root / f"reports/predictions/{name}/seed_0.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    right = [row for row in rows if row["actual"] == row["predicted"]]
    wrong = [row for row in rows if row["actual"] != row["predicted"]]
    for row in right[:lost]:
        row["predicted"] = "0" if row["actual"] != "0" else "1"
    for row in wrong[:gained]:
        row["predicted"] = row["actual"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    path = clone.root / f"reports/metrics/{name}.json"
    metrics = json.loads(path.read_text())
    accuracies = metrics["test"]["accuracies"]
    accuracies[0] = sum(row["actual"] == row["predicted"] for row in rows) / len(rows)
    metrics["test"]["accuracy"] = {"mean": np.mean(accuracies), "sd": np.std(accuracies, ddof=1)}
    metrics["test"]["loss"]["mean"] += 0.125
    path.write_text(json.dumps(metrics))


@pytest.fixture(scope="module")
def team(finished, tmp_path_factory):
    """A clone with main and, checked out, my-branch: another model_1 and model_2. Read only.

    The branch's results are made up, so that the differences are known, and recorded by DVC.
    """
    clone = Clone(tmp_path_factory.mktemp("team") / "clone")
    subprocess.run(["git", "clone", "--quiet", finished.root, clone.root], check=True)
    clone.cache = clone.root / ".dvc/cache"
    shutil.copytree(finished.root / ".dvc/cache", clone.cache, dirs_exist_ok=True)
    clone.run("git", "checkout", "--quiet", "-B", "main")
    clone.run("dvc", "checkout", "--quiet")
    clone.run("git", "checkout", "--quiet", "-b", "my-branch")
    clone.edit_model("model_1", "learning_rate: 0.001", "learning_rate: 0.002")
    clone.edit_model("model_2", "units: 1000", "units: 300")
    set_right(clone, "model_1", 12, 1)
    set_right(clone, "model_2", 6, 5)
    shutil.copy(clone.root / "reports/figures/loss.png", clone.root / "reports/figures/accuracy.png")
    names = [f"{model}-{seed}" for model in ("model_1", "model_2") for seed in (0, 1)]
    stages = [f"{stage}@{name}" for stage in ("train", "evaluate") for name in names]
    clone.run("dvc", "commit", "--quiet", "--force", *stages)
    clone.commit("Change two models")
    return clone


@pytest.fixture
def own(team, tmp_path):
    """A copy of the team's clone to change at will."""
    return copy(team, tmp_path / "clone")


@pytest.fixture
def page(monkeypatch, capsys):
    """A function that compares in a clone and gives the page."""

    def run(clone, base="main", *options):
        monkeypatch.chdir(clone.root)
        monkeypatch.setattr(sys, "argv", ["compare", base, *options])
        capsys.readouterr()
        compare.main()
        return capsys.readouterr().out

    return run


def section(page, title):
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def table(text):
    """The rows of the first table, cells as text."""
    lines = re.search(r"(^\|.*\n)+", text, re.MULTILINE)[0].splitlines()
    rows = [[cell.strip(" `") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert len({len(row) for row in rows}) == 1
    return rows[2:]


def show(clone, revision, path):
    return subprocess.run(
        ["git", "show", f"{revision}:{path}"], cwd=clone.root, capture_output=True, check=True
    ).stdout


def predictions(clone, revision, name):
    """A model's predictions with seed 0 of a revision, out of the cache by the hash in its dvc.lock."""
    stage = yaml.safe_load(show(clone, revision, "dvc.lock"))["stages"][f"evaluate@{name}-0"]
    path = f"reports/predictions/{name}/seed_0.csv"
    (md5,) = [out["md5"] for out in stage["outs"] if out["path"] == path]
    with (clone.cache / "files/md5" / md5[:2] / md5[2:]).open() as file:
        return list(csv.DictReader(file))


def disagreements(before, after):
    """Count the images that only the one side gets right, and those that only the other does."""
    right = [[row["actual"] == row["predicted"] for row in side] for side in (before, after)]
    pairs = list(zip(*right, strict=True))
    return pairs.count((True, False)), pairs.count((False, True))


def test_make_prints_the_page_and_nothing_else_on_standard_output(team):
    lend_environment(team.root)
    process = team.start("make", "compare", PYTHONPATH=str(team.root))
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    assert "# `my-branch` compared with `main`" in printed.splitlines()
    assert team.run("git", "status", "--porcelain") == ""  # comparison/ is ignored
    assert (team.root / "comparison/comparison.md").is_file()


def test_the_page_shows_the_parameters_that_dvc_says_differ(team, page):
    asked = json.loads(team.run("dvc", "params", "diff", "main", "my-branch", "--json"))["params.yaml"]
    assert {key.split(".")[1] for key in asked} == {"model_1", "model_2"}
    assert table(section(page(team), "Parameters")) == [
        ["models.model_1.optimizer.Adam.learning_rate", "0.001", "0.002"],
        ["models.model_2.layers[3].Dense.units", "1000", "300"],
    ]


def test_the_metrics_and_differences_are_those_of_the_json_files(team, page):
    rows = table(section(page(team), "Test metrics"))
    keys = {"test loss": "loss", "macro F1": "macro_f1", "calibration error": "calibration_error"}
    seen = []
    for model, metric, before, after, difference in rows:
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
    assert "The same on both sides: `model_0`." in page(team)


def test_more_than_chance_is_what_statsmodels_says_of_the_predictions(team, page):
    text = page(team)
    rows = table(section(text, "Significance"))
    p_values = []
    for model, images, lost, gained, *_ in rows:
        sides = [predictions(team, at, model) for at in ("main", "my-branch")]
        right = [np.array([row["actual"] == row["predicted"] for row in side]) for side in sides]
        cells = [
            [int(((right[0] == a) & (right[1] == b)).sum()) for b in (True, False)] for a in (True, False)
        ]
        assert [int(images), int(lost), int(gained)] == [360, cells[0][1], cells[1][0]]
        p_values.append(mcnemar(cells, exact=True).pvalue)
    decided, corrected, *_ = multipletests(p_values, method="holm")
    assert [row[:4] for row in rows] == [["model_1", "360", "12", "1"], ["model_2", "360", "6", "5"]]
    assert [row[6] for row in rows] == [f"= {p_value:.4f}" for p_value in corrected]
    words = {True: "significant", False: "not significant"}
    assert [row[7] for row in rows] == [words[bool(one)] for one in decided] == [words[True], words[False]]
    assert [row[4] for row in rows] == ["-3.06 points", "-0.28 points"]  # 11 and 1 of 360
    assert "- **model_1**: test accuracy with seed 0 -3.06 points, significant.\n" in text
    assert "the same predictions on both sides: `model_0`." in text
    assert "Holm-corrected over 2 models" in text
    assert "two .h5 files of each model, with seed 0 on both sides" in text


@pytest.mark.parametrize(("lost", "gained", "images"), [(3, 40, 360), (6, 5, 360), (0, 0, 50), (7, 1, 21)])
def test_the_interval_is_the_normal_one_of_the_table_with_half_an_image_more_per_cell(lost, gained, images):
    values, weights = [-1, 0, 1], [lost + 0.5, images - lost - gained + 1, gained + 0.5]
    mean = np.average(values, weights=weights)
    error = np.sqrt(np.average((np.array(values) - mean) ** 2, weights=weights) / sum(weights))
    expected = mean + np.array([-1, 1]) * 1.959963984540054 * error
    assert paired.difference_interval(lost, gained, images) == pytest.approx(expected)


def test_the_interval_holds_the_true_difference_in_95_of_100_draws():
    drawn = np.random.default_rng(0).multinomial(360, [0.08, 0.12, 0.8], size=2000)
    intervals = np.array([paired.difference_interval(lost, gained, 360) for lost, gained, _ in drawn])
    held = ((intervals[:, 0] <= 0.04) & (intervals[:, 1] >= 0.04)).mean()
    assert held == pytest.approx(0.95, abs=0.015)  # three standard errors of the share
    assert paired.difference_interval(0, 3, 3)[1] == 1


def test_a_branch_compared_with_itself_differs_in_nothing(team, page):
    text = page(team, "my-branch")
    assert "**Nothing differs**" in text
    assert "##" not in text
    assert "**Nothing differs**" not in page(team)


def test_an_unknown_base_is_one_line_that_lists_branches_and_tags(own):
    own.run("git", "tag", "v1")
    printed = own.run("python", "-m", "cifar10.compare", "no-such", expect=2, PYTHONPATH=str(own.root))
    assert printed.startswith("error: BASE: got 'no-such', expected ")
    assert printed.count("\n") == 1
    assert [name for name in ("main", "my-branch", "origin/main", "v1") if name not in printed] == []


@pytest.mark.parametrize("base", ["", "--help-me", "main..my-branch", "HEAD:params.yaml"])
def test_what_is_no_commit_is_no_base(team, page, base):
    with pytest.raises(UserError, match="BASE: got"):
        page(team, "--", base)


def test_a_branch_that_is_on_origin_alone_is_found(own, page):
    own.run("git", "branch", "--quiet", "--delete", "--force", "main")
    assert "`my-branch` compared with `origin/main`" in page(own)


def test_outside_a_clone_it_says_so(tmp_path, page):
    with pytest.raises(UserError, match="not a git repository"):
        page(Clone(tmp_path))


def test_predictions_that_are_nowhere_are_named_and_the_rest_comes(own, page):
    own.run("dvc", "cache", "dir", "--local", str(own.root / "empty"))
    text = page(own)
    for name in ("model_1", "model_2"):
        for side in ("main", "my-branch"):
            path = f"reports/predictions/{name}/seed_0.csv"
            assert f"- `{path}` of `{side}` is in neither the DVC cache nor the remote" in text
        assert f"`{name}` is not tested: its predictions in main and my-branch are not available." in text
    assert str(own.root) not in text
    assert len(table(section(text, "Test metrics"))) == 10
    assert "accuracy.png" in section(text, "Figures")


def test_predictions_come_from_the_remote(team, own, page, tmp_path):
    storage = str(tmp_path / "storage")
    for clone in (team, own):
        clone.run("dvc", "remote", "modify", "--local", "storage", "url", storage)
    team.run("dvc", "push", "--quiet", "--all-branches", "evaluate@model_1-0", "evaluate@model_2-0")
    own.run("dvc", "cache", "dir", "--local", str(own.root / "empty"))
    text = page(own)
    assert "not available" not in text
    assert text == page(team)


def test_uncommitted_changes_are_compared_as_they_are_and_labelled(own, page):
    own.run("dvc", "checkout", "--quiet")
    own.edit_model("model_0", "learning_rate: 0.001", "learning_rate: 0.004")
    set_right(own, "model_1", 0, 2)
    with (own.root / "reports/predictions/model_1/seed_0.csv").open() as file:
        sides = [predictions(own, "main", "model_1"), list(csv.DictReader(file))]
    lost, gained = disagreements(*sides)
    text = page(own)
    assert "# `workspace of my-branch` compared with `main`" in text
    assert "**with uncommitted changes**" in text
    assert ["models.model_0.optimizer.Adam.learning_rate", "0.001", "0.004"] in table(text)
    sentence = "The results of `model_0` and `model_1` in `workspace of my-branch` are not those of its code"
    assert f"{sentence} and parameters" in text
    assert table(section(text, "Significance"))[0][:4] == ["model_1", "360", str(lost), str(gained)]
    assert lost + gained in (11, 13, 15)  # 12 and 1, and two more that may undo two of these


def test_predictions_that_do_not_give_the_accuracy_are_not_tested(own, page):
    own.run("dvc", "checkout", "--quiet")
    own.run("git", "checkout", "--quiet", "main")  # without `dvc checkout`
    own.edit("params.yaml", "epochs: 2", "epochs: 3")
    shutil.copy(own.root / "reports/metrics/model_0.json", own.root / "reports/metrics/model_1.json")
    text = page(own, "my-branch")
    assert "`model_1` is not tested: its predictions of workspace of main do not give its test accur" in text


def test_results_of_other_code_or_parameters_are_named(team, own, page):
    assert "are not those of its code and parameters" not in page(team)
    own.edit_model("model_1", "learning_rate: 0.002", "learning_rate: 0.003")
    own.commit()
    assert "The results of `model_1` in `my-branch` are not those of its code and parameters" in page(own)
    own.edit("cifar10/training/loop.py", ".permutation(images)", ".permutation(9)")
    own.commit()
    models = "`model_0`, `model_1` and `model_2`"
    assert f"The results of {models} in `my-branch` are not those of its code and parameters" in page(own)


@pytest.mark.parametrize("text", [None, "a: [", "[]", "data: {source: digits}"])
def test_a_commit_without_readable_parameters_is_one_line(own, page, text):
    if text is None:
        (own.root / "params.yaml").unlink()
    else:
        (own.root / "params.yaml").write_text(text)
    own.commit()
    with pytest.raises(UserError, match=r"^my-branch: .*params\.yaml") as error:
        page(own)
    assert "\n" not in str(error.value)


def test_sides_without_a_common_seed_are_compared_without_a_test(own, page):
    own.edit("params.yaml", "seeds: [0, 1]", "seeds: [5]")
    own.commit()
    text = page(own)
    assert ["train.seeds[0:]", "[0, 1]", "[5]"] in table(section(text, "Parameters"))
    assert "`model_1` is not tested: no seed is on both sides." in text
    assert len(table(section(text, "Test metrics"))) == 10


def test_metrics_of_a_version_with_one_training_per_model_are_left_out(own, page):
    (own.root / "reports/metrics/model_0.json").write_text('{"test": {"accuracy": 0.5}}')
    own.commit()
    text = page(own)
    assert (
        "`reports/metrics/model_0.json` of `my-branch` is of a version that trained each model once" in text
    )
    assert "`model_0` is not tested: no metrics in my-branch." in text


def test_an_added_and_a_removed_model_are_named(own, page):
    content = yaml.safe_load((own.root / "params.yaml").read_text())
    content["models"]["linear"] = content["models"].pop("model_0")
    (own.root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    metrics = own.root / "reports/metrics"
    (metrics / "model_0.json").rename(metrics / "linear.json")
    own.commit()
    text = page(own)
    assert "Only in `my-branch`: `linear`." in text
    assert "Only in `main`: `model_0`." in text
    accuracy = json.loads((metrics / "linear.json").read_text())["test"]["accuracy"]
    shown = f"{100 * accuracy['mean']:.2f} ± {100 * accuracy['sd']:.2f} %"
    rows = table(section(text, "Test metrics"))
    assert ["linear", "test accuracy", "–", shown, "–"] in rows  # noqa: RUF001
    assert ["model_0", "test accuracy", shown, "–", "–"] in rows  # noqa: RUF001
    assert "linear" not in section(text, "Significance")


def test_a_model_that_another_arithmetic_computed_is_named(own, page):
    path = own.root / "reports/metrics/model_0.json"
    content = json.loads(path.read_text())
    here = content["model"]["trained_on"]
    content["model"]["trained_on"] = "Darwin arm64"
    path.write_text(json.dumps(content))
    own.commit()
    expected = (
        f"- `model_0` was computed on {here} in `main` and on Darwin arm64 / {here} in `my-branch`: "
        "part of the difference can be rounding."
    )
    assert expected in page(own)
    assert "was computed on" not in page(own, "my-branch")


def test_other_test_images_are_no_pairs(own, page):
    path = own.root / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    for entry in lock["stages"]["evaluate@model_1-0"]["deps"]:
        if entry["path"] == "data/processed/test":
            entry["md5"] = "0" * 32 + ".dir"
    path.write_text(yaml.safe_dump(lock))
    own.commit()
    text = page(own)
    assert "`model_1` is not tested: measured on other test images" in text
    assert [row[0] for row in table(section(text, "Significance"))] == ["model_2"]


def test_a_damaged_file_is_named_and_the_rest_comes(own, page):
    (own.root / "reports/metrics/model_1.json").write_text("{")
    own.commit()
    text = page(own)
    assert "`reports/metrics/model_1.json` of `my-branch` is damaged" in text
    assert "`model_1` is not tested: no metrics in my-branch." in text
    assert [row[0] for row in table(section(text, "Significance"))] == ["model_2"]


def test_commits_that_the_branch_lacks_are_counted(own, page):
    assert "lacks" not in page(own)
    own.run("git", "checkout", "--quiet", "main")
    own.edit(
        "params.yaml",
        "seed: 0                   # of the images",
        "seed: 1                   # of the images",
    )
    own.commit()
    own.run("git", "checkout", "--quiet", "my-branch")
    assert "`my-branch` lacks 1 commit of `main`" in page(own)


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/owner/repo.name.git",
        "https://github.com/owner/repo.name",
        "https://x-access-token:secret@github.com/owner/repo.name",
        "git@github.com:owner/repo.name.git",
        "ssh://git@github.com/owner/repo.name.git",
    ],
    ids=["https", "plain", "token", "scp", "ssh"],
)
def test_figures_are_linked_by_commit_if_origin_is_on_github(own, page, origin):
    own.run("git", "remote", "set-url", "origin", origin)
    text = page(own)
    rows = table(section(text, "Figures"))
    commits = [own.run("git", "rev-parse", at).strip() for at in ("main", "my-branch")]
    links = [
        f"![accuracy.png](https://github.com/owner/repo.name/raw/{commit}/reports/figures/accuracy.png)"
        for commit in commits
    ]
    assert rows == [["accuracy.png", *links]]
    assert "secret" not in text
    assert "The same on both sides: " in section(text, "Figures")


def test_uncommitted_figures_are_not_linked(own, page):
    own.run("git", "remote", "set-url", "origin", "https://github.com/owner/repo")
    (own.root / "reports/figures/accuracy.png").write_bytes(b"new")
    ((_, before, after),) = table(section(page(own), "Figures"))
    assert before.startswith("![accuracy.png](https://github.com/owner/repo/raw/")
    assert after == "not committed"


def test_the_folder_holds_the_page_and_both_sides_figures(own, page):
    for _ in range(2):  # the second takes the place of the first
        page(own, "main", "--output", "folder/of/it")
    folder = own.root / "folder/of/it"
    links = documents.links(folder / "comparison.md")
    assert links == ["before/accuracy.png", "after/accuracy.png"]
    for link, revision in zip(links, ("main", "my-branch"), strict=True):
        assert (folder / link).read_bytes() == show(own, revision, "reports/figures/accuracy.png")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["it"]


def test_a_folder_with_other_files_is_left_alone(own, page):
    with pytest.raises(UserError, match="reports: expected an earlier comparison or nothing"):
        page(own, "main", "--output", "reports")
    assert (own.root / "reports/results.md").is_file()


def test_help_says_what_it_does(team):
    assert "BASE" in team.run("python", "-m", "cifar10.compare", "--help", PYTHONPATH=str(team.root))


def test_changes_are_found_at_every_depth():
    before = {"a": {"b": [1, {"c": 2}], "gone": None}, "d": [1, 2, 3, 4], "same": 0.1, "t": 1}
    after = {"a": {"b": [1, {"c": 3}]}, "d": [1, 9, 8, 3, 4], "same": 0.1, "new": [], "t": True}
    assert list(diff.changes(before, after)) == [
        Change("a.b[1].c", 2, 3),
        Change("a.gone", None, ABSENT),
        Change("d[1:]", [2], [9, 8]),
        Change("t", 1, True),
        Change("new", ABSENT, []),
    ]
    assert list(diff.changes([1, 1], [1, 1, 1])) == [Change("[2:]", [], [1])]


def side(label, **answers):
    """A side whose models give these answers for images of the classes a and b."""
    return Side(
        label=label,
        commit="0" * 40,
        uncommitted=False,
        params={"models": dict.fromkeys(answers), "train": {"seeds": [3]}},
        stale=[],
        hashes={},
        metrics={
            name: {"test": {"accuracies": [sum(map(str.__eq__, *columns)) / len(columns[0])]}}
            for name, columns in answers.items()
        },
        figures={},
        predictions={
            name: pd.DataFrame({"actual": [*actual], "predicted": [*predicted]})
            for name, (actual, predicted) in answers.items()
        },
    )


def test_the_pairs_are_counted_by_image():
    before = side("x", one=("aabb", "abba"), two=("ab", "ab"))
    after = side("y", one=("aabb", "aabb"), two=("ba", "ba"), three=("a", "a"))
    tested, untested = paired.paired_tests(before, after)
    assert tested == [Paired("one", 0, 2, 4, 0.5, 0.5)]
    assert tested[0].difference == 0.5
    assert list(untested) == ["two"]
    assert "other test images" in untested["two"]


@pytest.mark.parametrize("text", ["a|b", "`", "a ``b`` c", "<script>", "$x$ *y* [z](w)", "line\nbreak"])
def test_what_others_named_is_read_as_it_is(text):
    page = f"| h |\n|---|\n| {comparison_page.code(text)} |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    (inline,) = [token for token in tokens if token.type == "inline" and token.content != "h"]
    (code,) = inline.children
    assert code.type == "code_inline"
    assert code.content == text.replace("\n", " ")


def test_a_long_value_is_cut():
    assert len(comparison_page.value(list(range(1000)))) == comparison_page.LONGEST + 2
    assert comparison_page.value({"a": [1, "x"]}) == "`{a: [1, x]}`"
    assert comparison_page.value(0.001) == "`0.001`"
    assert comparison_page.value(None) == "`null`"
