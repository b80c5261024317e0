"""Verdicts of a comparison, on made-up answers, against NumPy, SciPy and statsmodels."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from cifar10.compare import changed
from cifar10.compare.changed import Kind
from cifar10.compare.spread import interval
from cifar10.compare.verdicts import verdicts
from cifar10.report.summary import spread
from tests.compare.sides import limits, side, trained


@pytest.mark.parametrize(
    ("old", "new"),
    [([0, 1, 2], [0, 1, 2]), ([0, 1, 2, 3, 4], [0, 1]), ([0, 1], [0, 1, 2, 3]), ([0, 1, 2], [7, 8, 9, 5])],
    ids=["equal", "fewer", "more", "no common seed"],
)
def test_the_interval_of_a_changed_model_is_that_of_the_formulas(old, new):
    random = np.random.default_rng(len(old) + 10 * len(new))
    names = ("one", "two")
    correct = [{name: trained(random, len(seeds)) for name in names} for seeds in (old, new)]
    found = verdicts(side("x", old, correct[0]), side("y", new, correct[1]))
    for name in names:
        move = found.moves[name]
        expected = limits(correct[0][name], correct[1][name], 0.05 / 2)
        assert (move.difference, move.low, move.high) == pytest.approx(expected)
        assert move.images == 2000
    assert (found.files, found.untested) == ({}, {})


def flipped(lost, gained, images=10_000, trainings=3):
    """Both sides of a model; all trainings of a side agree, 6,000 images are right before."""
    before = np.zeros(images, dtype=bool)
    before[:6000] = True
    after = before.copy()
    after[:lost], after[6000 : 6000 + gained] = False, True
    return [np.tile(row, (trainings, 1)) for row in (before, after)]


@pytest.mark.parametrize(
    ("lost", "gained", "word"),
    [
        (0, 100, "better"),
        (100, 0, "worse"),
        (0, 60, "better, perhaps by less than matters"),
        (60, 0, "worse, perhaps by less than matters"),
        (0, 20, "as good for practical purposes"),
        (20, 0, "as good for practical purposes"),
        (280, 300, "not decided"),
        (300, 280, "not decided"),
        (5, 5, "as good for practical purposes"),
    ],
)
def test_the_verdict_follows_the_interval_and_the_margin(lost, gained, word):
    """Without a spread over seeds, the interval is that of a paired t test over the images."""
    before, after = flipped(lost, gained)
    found = verdicts(side("x", [0, 1, 2], {"m": before}), side("y", [0, 1, 2], {"m": after}))
    paired = stats.ttest_rel(after[0].astype(float), before[0].astype(float)).confidence_interval()
    move = found.moves["m"]
    assert (move.low, move.high) == pytest.approx(paired)
    assert move.difference == pytest.approx((gained - lost) / 10_000)
    assert found.word("m", "test accuracy") == word
    assert move.to_decide is None  # decided, or no spread over seeds that more trainings would reduce


SEEDS = [([0, 1], [0, 1, 2]), ([0, 1, 2], [1]), ([0, 1], [2, 3]), ([0], [5])]


@pytest.mark.parametrize(("old", "new"), SEEDS, ids=["more", "less", "others", "another"])
def test_other_seeds_of_the_same_model_are_no_difference(old, new):
    every = trained(np.random.default_rng(0), 6)
    before, after = (
        side(label, seeds, {"m": every[seeds]}, {"m": "recipe"}) for label, seeds in (("x", old), ("y", new))
    )
    assert changed.needed_seeds(before, after, "m") == ([], [])
    found = verdicts(before, after)
    assert found.of(Kind.SEEDS) == ["m"]
    assert (found.moves, found.files, found.untested, found.spreads) == ({}, {}, {}, {})


@pytest.mark.parametrize(("old", "new"), SEEDS, ids=["more", "less", "others", "another"])
def test_other_seeds_of_another_model_are_a_difference(old, new):
    every = trained(np.random.default_rng(0), 6)
    before, after = (side(label, seeds, {"m": every[seeds]}) for label, seeds in (("x", old), ("y", new)))
    assert changed.kind(before, after, "m") is Kind.CHANGED
    assert (len(verdicts(before, after).moves) == 1) == (min(len(old), len(new)) > 1)


def test_the_same_predictions_are_not_tested_and_do_not_widen_the_other_intervals():
    random = np.random.default_rng(1)
    same, old, new = (trained(random, 3) for _ in range(3))
    before = side("x", [0, 1, 2], {"same": same, "m": old})
    after = side("y", [2, 1, 0], {"same": same[::-1], "m": new})
    found = verdicts(before, after)
    assert found.of(Kind.SAME) == ["same"]
    assert changed.needed_seeds(before, after, "same") == ([], [])
    assert list(found.moves) == ["m"]
    assert (found.moves["m"].low, found.moves["m"].high) == pytest.approx(limits(old, new, 0.05)[1:])


@pytest.mark.parametrize(
    ("old", "new", "compared"),
    [([0, 1, 2], [1], (1, 1)), ([4], [5, 4], (4, 4)), ([4], [7, 8], (4, 7)), ([3], [3], (3, 3))],
)
def test_one_training_on_a_side_gives_mcnemars_test_of_two_files(old, new, compared):
    random = np.random.default_rng(len(old))
    names = ("one", "two")
    correct = [{name: trained(random, len(seeds), 400) for name in names} for seeds in (old, new)]
    before, after = side("x", old, correct[0]), side("y", new, correct[1])
    assert changed.needed_seeds(before, after, "one") == ([compared[0]], [compared[1]])
    found = verdicts(before, after)
    assert found.moves == found.spreads == {}
    p_values = []
    for name in names:
        first, second = correct[0][name][old.index(compared[0])], correct[1][name][new.index(compared[1])]
        test = found.files[name]
        assert (test.lost, test.gained) == ((first & ~second).sum(), (second & ~first).sum())
        assert (test.seeds, test.images) == (compared, 400)
        assert test.difference == pytest.approx(second.mean() - first.mean())
        table = [[int(((first == a) & (second == b)).sum()) for b in (True, False)] for a in (True, False)]
        p_values.append(mcnemar(table, exact=True).pvalue)
    corrected = multipletests(p_values, method="holm")[1]
    assert [test.corrected for test in found.files.values()] == pytest.approx(corrected.tolist())
    assert found.word("one", "test accuracy") == "one training: the spread over seeds is unknown"


def test_missing_predictions_are_named_and_the_other_model_is_compared():
    random = np.random.default_rng(2)
    names, seeds = ("one", "two"), [0, 1, 2]
    correct = [{name: trained(random, 3) for name in names} for _ in range(2)]
    before = side("x", seeds, correct[0], missing=[("one", 1)])
    after = side("y", seeds, correct[1], missing=[("one", 0), ("one", 2)])
    found = verdicts(before, after)
    reason = "its predictions in x (seed 1) and y (seeds 0 and 2) are not available"
    assert found.untested == {"one": reason}
    expected = limits(correct[0]["two"], correct[1]["two"], 0.05)
    assert (found.moves["two"].low, found.moves["two"].high) == pytest.approx(expected[1:])


def test_inconsistent_results_are_not_tested():
    random = np.random.default_rng(3)
    old, new = trained(random, 3), trained(random, 3)
    before, after = side("x", [0, 1, 2], {"m": old}), side("y", [0, 1, 2], {"m": new})
    after.metrics["m"]["test"]["accuracies"][2] += 0.01
    assert "its predictions of y do not give its test accuracy" in verdicts(before, after).untested["m"]
    after.metrics["m"]["test"]["accuracies"].pop()
    assert "its metrics of y have 2 seeds, params.yaml has 3" in verdicts(before, after).untested["m"]
    del after.metrics["m"]
    assert verdicts(before, after).untested == {"m": "no metrics in y"}
    other = side("y", [0, 1, 2], {"m": new}, images="others", loss=[1.0, 1.1, 1.2])
    assert "other test images" in verdicts(before, other).untested["m"]
    assert verdicts(before, other).spreads == {}
    shorter = side("y", [0, 1, 2], {"m": new[:, :-10]})
    assert "other test images" in verdicts(before, shorter).untested["m"]
    alone = [side(label, [0, 1], {"m": np.eye(2, 1, dtype=bool)}, {"m": label}) for label in ("x", "y")]
    alone[1].hashes.clear()
    assert verdicts(*alone).untested == {"m": "it has fewer than 2 test images"}


@pytest.mark.parametrize("sizes", [(3, 3), (5, 5), (2, 2), (3, 6), (2, 9)])
def test_the_interval_of_another_metric_is_welchs_or_wider(sizes):
    random = np.random.default_rng(sum(sizes))
    first, second = (random.normal(1, 0.1 * size, size) for size in sizes)
    for models in (1, 4):
        found = interval(spread(first.tolist()), spread(second.tolist()), sizes, models)
        welch = stats.ttest_ind(second, first, equal_var=False).confidence_interval(1 - 0.05 / models)
        parts = [np.var(values, ddof=1) / len(values) for values in (first, second)]
        quantiles = [stats.t.ppf(1 - 0.025 / models, size - 1) for size in sizes]
        critical = max(quantiles) if 2 in sizes else np.average(quantiles, weights=parts)
        half = critical * np.sqrt(sum(parts))
        middle = second.mean() - first.mean()
        assert (found.low, found.high) == pytest.approx((middle - half, middle + half))
        assert found.low <= welch.low
        assert found.high >= welch.high


def test_the_interval_of_another_metric_holds_the_true_difference():
    random = np.random.default_rng(0)
    missed = 0
    for _ in range(1000):
        sides = [spread(random.normal(0, scale, 3).tolist()) for scale in (1, 3)]
        missed += not interval(*sides, (3, 3)).explained
    assert missed / 1000 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


def test_metrics_without_a_known_spread_have_no_interval():
    several, one = spread([1.0, 2.0]), spread([3.0])
    assert interval(several, one, (2, 1)) is None
    assert interval(None, several, (2, 2)) is None
    assert interval(spread([1.0, 1.0]), spread([2.0, 2.0]), (2, 2)) is None
    assert interval(spread([1.0, 1.0]), several, (2, 2)) is not None


def test_other_metrics_of_changed_models_have_verdicts():
    random = np.random.default_rng(4)
    seeds, losses = [0, 1, 2], ([1.0, 1.01, 1.02], [1.3, 1.31, 1.33])
    before, after = (
        side(label, seeds, {name: trained(random, 3) for name in ("one", "two")}, loss=loss, tpr=tpr)
        for label, loss, tpr in zip("xy", losses, ([0.9, 0.8, 0.7], [0.8, 0.9, 0.72]), strict=True)
    )
    found = verdicts(before, after)
    assert set(found.spreads) == {(n, m) for n in ("one", "two") for m in ("test loss", "OOD detection TPR")}
    expected = stats.ttest_ind(losses[1], losses[0], equal_var=True)
    error = np.mean(losses[1]) - np.mean(losses[0])
    limits = error + np.array([-1, 1]) * stats.t.ppf(1 - 0.025 / 2, 2) * error / expected.statistic
    loss = found.spreads["one", "test loss"]
    assert (loss.low, loss.high) == pytest.approx(limits.tolist())
    assert found.word("one", "test loss") == "more than seeds explain"
    assert found.word("one", "OOD detection TPR") == "within the spread over seeds"
    assert found.word("one", "macro F1") == ""
