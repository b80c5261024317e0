"""The page of a comparison, on made-up sides: changes, wording, escapes, links, the folder."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt

from cifar10.compare import __main__ as compare
from cifar10.compare import diff, formats, paired
from cifar10.compare.diff import ABSENT, Change
from cifar10.errors import UserError
from tests.compare.sides import page, side, trained

SEEDS = [0, 1, 2]


def flipped(lost, gained):
    """Both sides of a model: 3 equal trainings, 10,000 images, of which 6,000 are right before."""
    before = np.arange(10_000) < 6000
    after = before.copy()
    after[:lost], after[6000 : 6000 + gained] = False, True
    return [np.tile(row, (3, 1)) for row in (before, after)]


@pytest.fixture(scope="module")
def four():
    """The page of a model of each outcome, one with a spread, and one that is the same."""
    cases = {"up": (0, 200), "down": (130, 0), "level": (0, 5), "unclear": (280, 300)}
    correct = [{name: flipped(*counts)[at] for name, counts in cases.items()} for at in (0, 1)]
    same, random = trained(np.random.default_rng(0), 3, 10_000), np.random.default_rng(1)
    for place in (0, 1):
        correct[place] |= {"same": same, "spread": trained(random, 3, 10_000)}
    losses = ([1.0, 1.01, 1.02], [1.3, 1.31, 1.33])
    before, after = (
        side(label, SEEDS, hits, {name: "r" if name == "same" else label for name in hits}, loss=loss)
        for label, hits, loss in zip(("main", "mine"), correct, losses, strict=True)
    )
    return page(before, after)


def test_the_top_says_what_moved_and_whether_seeds_and_images_explain_it(four):
    lines = [line for line in four.partition("## ")[0].splitlines() if line.startswith("- ")]
    moved = "`up` +2.00 points (better), `down` -1.30 points (worse)"
    assert lines[0] == f"- **More than seeds and test images explain**: test accuracy of {moved}."
    assert lines[1] == (
        "- **As good for practical purposes**, within 0.5 points: test accuracy of `level` +0.05 points."
    )
    unclear = (
        "- **Not decided**, seeds and test images can explain it: test accuracy of `unclear` +0.20 points"
    )
    assert lines[2].startswith(unclear)
    assert lines[3].startswith("- **More than the spread over seeds explains**, test images not counted: ")
    assert lines[3].count("+0.3033") == 5
    assert len(lines) == 4


def test_an_undecided_model_has_the_trainings_that_would_decide(four):
    assert "For `unclear`, more trainings would not decide, because the test set is too small." in four
    assert "For `spread`, about " in four
    assert "trainings on each side would decide with 80 % power" in four


def test_nothing_is_claimed_where_only_the_seeds_differ():
    every = trained(np.random.default_rng(0), 5)
    before, after = (
        side(label, seeds, {"m": every[seeds]}, {"m": "recipe"})
        for label, seeds in (("main", [0, 1]), ("mine", [0, 1, 2, 3, 4]))
    )
    for text, words in (
        (page(before, after), "trained more often (5 times instead of 2 times)"),
        (page(after, before), "trained less often (2 times instead of 5 times)"),
    ):
        assert f"- **Only the seeds differ** in `m`: the same model, {words}. No difference to test." in text
        rows = [line for line in text.splitlines() if line.startswith("| m |")]
        assert len(rows) == 5
        assert all(row.endswith("| only the seeds differ |") for row in rows)
        for word in ("better", "worse", "not decided", "significant", "No test accuracy moved"):
            assert word not in text


def test_one_training_has_no_verdict_and_a_test_of_two_files():
    random = np.random.default_rng(0)
    before = side("main", [4], {"m": trained(random, 1)})
    after = side("mine", [7, 8], {"m": trained(random, 2)})
    text = page(before, after)
    assert (
        "- **No verdict**, one training: the spread over seeds is unknown (`main`): test accuracy of " in text
    )
    assert "McNemar's test compares two .h5 files of each model" in text
    assert "| m | 4, 7 | 2,000 |" in text
    assert "for all" not in text


def test_other_parameters_without_another_accuracy_move_nothing():
    same = trained(np.random.default_rng(0), 3)
    before, after = (side(label, SEEDS, {"m": same}, {"m": "recipe"}) for label in ("main", "mine"))
    after.params["report"] = {"seed": 1}
    assert "- **No test accuracy moved.**" in page(before, after)


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
def test_the_address_of_the_figures_comes_from_origin(tmp_path, monkeypatch, origin):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    before, after = (side(label, [0], {}) for label in ("main", "mine"))
    assert compare.addresses(before, after) == {}
    subprocess.run(["git", "remote", "add", "origin", origin], check=True)
    folder = f"https://github.com/owner/repo.name/raw/{'0' * 40}/reports/figures"
    assert compare.addresses(before, after) == {"main": folder, "mine": folder}
    assert compare.addresses(before, replace(after, uncommitted=True)) == {"main": folder}


def test_the_folder_takes_the_place_of_an_earlier_one(tmp_path):
    before, after = (replace(side(x, [0], {}), figures={"a.png": x.encode()}) for x in ("main", "mine"))
    folder = tmp_path / "folder/of/it"
    for old in (after, before):  # the second takes the place of the first
        compare.write(folder, old, after, 0, [])
    assert (folder / "before/a.png").read_bytes() == b"main"
    assert "![a.png](after/a.png)" in (folder / compare.PAGE).read_text()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["it"]


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "results.md").touch()
    with pytest.raises(UserError, match="expected an earlier comparison or nothing"):
        compare.write(tmp_path, side("main", [0], {}), side("mine", [0], {}), 0, [])
    assert [path.name for path in tmp_path.iterdir()] == ["results.md"]


@pytest.mark.parametrize("text", ["a|b", "`", "a ``b`` c", "<script>", "$x$ *y* [z](w)", "line\nbreak"])
def test_what_others_named_is_read_as_it_is(text):
    page = f"| h |\n|---|\n| {formats.code(text)} |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    (inline,) = [token for token in tokens if token.type == "inline" and token.content != "h"]
    (code,) = inline.children
    assert code.type == "code_inline"
    assert code.content == text.replace("\n", " ")


def test_a_long_value_is_cut():
    assert len(formats.value(list(range(1000)))) == formats.LONGEST + 2
    assert formats.value({"a": [1, "x"]}) == "`{a: [1, x]}`"
    assert formats.value(0.001) == "`0.001`"
    assert formats.value(None) == "`null`"
