"""Statistics over trainings and images against loops, statsmodels, SciPy and the bootstrap."""

import itertools
import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from cifar10.evaluation import accuracy_interval, replicates
from cifar10.evaluation.replicates import Design, Outcome, intervals
from cifar10.evaluation.replicates.components import Components, degrees_of_freedom


def model(seed: int, trainings: int, images: int, accuracy: float = 0.6, spread: float = 0.1) -> np.ndarray:
    """Return bool (trainings, images); images differ in difficulty, which depends on the image alone."""
    difficulty = np.random.default_rng(images).standard_normal(images)
    random = np.random.default_rng(seed)
    noise = difficulty + random.standard_normal((trainings, images))
    return noise < np.sqrt(2) * stats.norm.ppf(accuracy) + spread * random.standard_normal((trainings, 1))


def columns_alike(counts: list[int], images: int) -> np.ndarray:
    """Return bool (S, N): one training classifies each image correctly, training s on counts[s] images."""
    correct = np.zeros((len(counts), images), dtype=bool)
    correct[np.repeat(np.arange(len(counts)), counts), np.arange(images)] = True
    return correct


def test_a_table_of_two_by_three_by_hand():
    """Accuracies 2/3 and 1/3; means per image 1, 1/2 and 0."""
    found = Components.of(np.array([[1, 1, 0], [1, 0, 0]], dtype=bool))
    assert found.mean == pytest.approx(1 / 2)
    assert found.seeds == pytest.approx(1 / 18)  # (1/6)^2 + (1/6)^2
    assert found.noise == pytest.approx(1 / 18)  # (0 + 1/2 + 0) / 3 / 3
    assert found.images == pytest.approx(1 / 12)  # (1/4 + 0 + 1/4) / 2 / 3
    assert found.training_variance == pytest.approx(0)


@pytest.mark.parametrize("seed", range(3))
def test_components_are_those_of_loops(seed):
    first, second = model(seed, 3, 7), model(seed + 10, 4, 7)
    for correct in (first, second):
        found, rows = Components.of(correct), correct.astype(float).tolist()
        accuracies = [statistics.mean(row) for row in rows]
        assert found.seeds == pytest.approx(statistics.variance(accuracies))
        within = [statistics.variance(column) for column in zip(*rows, strict=True)]
        assert found.noise == pytest.approx(statistics.mean(within) / 7)
        by_image = [statistics.mean(column) for column in zip(*rows, strict=True)]
        assert found.images == pytest.approx(statistics.variance(by_image) / 7)
    apart = [
        statistics.mean(a) - statistics.mean(b)
        for a, b in zip(first.T.astype(float).tolist(), second.T.astype(float).tolist(), strict=True)
    ]
    parts, counts = intervals.difference_parts(Components.of(first), Components.of(second))
    assert parts[2] == pytest.approx(statistics.variance(apart) / 7)
    assert counts == [2, 3, 6]


def test_components_are_those_of_an_analysis_of_variance():
    correct = model(5, 4, 9)
    trainings, images = correct.shape
    rows = [(s, i, float(correct[s, i])) for s in range(trainings) for i in range(images)]
    fitted = ols("c ~ C(s) + C(i)", pd.DataFrame(rows, columns=["s", "i", "c"])).fit()
    table = anova_lm(fitted)
    mean_squares = table["sum_sq"] / table["df"]
    found = Components.of(correct)
    assert found.seeds == pytest.approx(mean_squares["C(s)"] / images)
    assert found.images == pytest.approx(mean_squares["C(i)"] / trainings / images)
    within = (table["sum_sq"]["C(s)"] + table["sum_sq"]["Residual"]) / images / (trainings - 1)
    assert found.noise == pytest.approx(within / images)


def test_the_training_spread_excludes_the_finite_test_set():
    """The noise of 400 images alone spreads accuracies by 2 points; a shift of each training adds to it."""
    for spread in (0.0, 0.2):
        found = Components.of(model(1, 400, 400, spread=spread))
        random = np.random.default_rng(2)
        shifts = spread * random.standard_normal(4000)
        difficulty = np.random.default_rng(400).standard_normal(400)
        true = stats.norm.cdf(np.sqrt(2) * stats.norm.ppf(0.6) + shifts[:, None] - difficulty).mean(axis=1)
        assert found.training_variance**0.5 == pytest.approx(true.std(), abs=0.006)
        assert found.seeds**0.5 > 0.018


def test_images_alone_are_a_paired_t_test():
    first, second = model(1, 1, 300), model(2, 1, 300, 0.5)
    apart = Components.of(first).residuals - Components.of(second).residuals
    parts = [np.asarray((apart**2).sum() / 299 / 300)]
    expected = stats.ttest_rel(first[0].astype(float), second[0].astype(float))
    statistic = (first.mean() - second.mean()) / parts[0] ** 0.5
    assert statistic == pytest.approx(expected.statistic)
    assert intervals.p_value(float(statistic), parts, [299]) == pytest.approx(expected.pvalue)


def test_trainings_alone_are_welchs_test():
    """Every image is classified correctly equally often: the images have no variance."""
    correct = {"a": columns_alike([900, 700, 400], 2000), "b": ~columns_alike([800, 710, 490], 2000)}
    (found,) = replicates.differences(correct)
    accuracies = [correct[name].mean(axis=1) for name in (found.first, found.second)]
    expected = stats.ttest_ind(*accuracies, equal_var=False)
    assert found.lead / found.estimate.error == pytest.approx(expected.statistic)
    assert found.estimate.df == pytest.approx(expected.df)
    # both parts have two degrees of freedom, so that any mean of their quantiles has two as well
    assert found.estimate.p_value == pytest.approx(2 * stats.t.sf(expected.statistic, 2))
    assert found.estimate.low == pytest.approx(found.lead - stats.t.ppf(0.975, 2) * found.estimate.error)


def test_degrees_of_freedom_of_different_numbers_of_trainings_are_welchs():
    random = np.random.default_rng(0)
    for sizes in ((2, 9), (3, 3), (4, 7)):
        samples = [random.normal(0, scale, size) for scale, size in zip((1, 3), sizes, strict=True)]
        parts = [sample.var(ddof=1) / len(sample) for sample in samples]
        expected = stats.ttest_ind(*samples, equal_var=False).df
        assert degrees_of_freedom(parts, [size - 1 for size in sizes]) == pytest.approx(expected)


@pytest.mark.parametrize("trainings", [3, 5, 10])
def test_the_quantile_is_the_weighted_mean_and_above_satterthwaites(trainings):
    random = np.random.default_rng(trainings)
    parts, counts = list(random.exponential(1, (3, 200))), [trainings - 1, trainings + 3, 9999]
    found = intervals.quantile(parts, counts, 0.05 / 3)
    weights = np.array(parts) / np.sum(parts, axis=0)
    expected = sum(w * stats.t.ppf(1 - 0.05 / 6, c) for w, c in zip(weights, counts, strict=True))
    np.testing.assert_allclose(found, expected)
    assert (found >= stats.t.ppf(1 - 0.05 / 6, degrees_of_freedom(parts, counts))).all()


def test_two_trainings_have_one_degree_of_freedom():
    correct = {"a": model(1, 2, 1000, 0.8), "b": model(2, 6, 1000)}
    (found,) = replicates.differences(correct)
    assert found.estimate.df == 1
    assert found.estimate.p_value == pytest.approx(2 * stats.t.sf(found.lead / found.estimate.error, 1))


@pytest.mark.parametrize("level", [0.5, 0.05, 1e-6, 1e-40, 0])
def test_the_p_value_inverts_the_quantile(level):
    parts, counts = [np.asarray(0.3), np.asarray(0.1), np.asarray(1.0)], [2, 4, 500]
    statistic = float(intervals.quantile(parts, counts, level)) if level else 1e40
    assert intervals.p_value(statistic, parts, counts) == pytest.approx(level, rel=1e-6)


def test_wilsons_limits_are_those_of_statsmodels():
    for right, images in ((0, 40), (39, 40), (150, 199), (40, 40)):
        mean = np.asarray(right / images)
        variance = mean * (1 - mean) / images
        found = intervals.wilson(mean, variance, np.asarray(stats.norm.ppf(0.975)), images)
        assert found == pytest.approx(proportion_confint(right, images, method="wilson"), abs=1e-12)


def test_limits_of_a_difference_near_one_are_newcombes():
    first, second = np.zeros((1, 50), dtype=bool), np.zeros((1, 50), dtype=bool)
    first[0, :36] = True
    second[0, :24] = True
    found = intervals.difference_limits(
        Components.of(first), Components.of(second), np.asarray(stats.norm.ppf(0.975) * np.sqrt(49 / 50))
    )
    (low_a, high_a), (low_b, high_b) = (proportion_confint(n, 50, method="wilson") for n in (36, 24))
    phi = (24 * 14 - 12 * 0) / np.sqrt(36 * 14 * 24 * 26)
    x, y, u, v = 0.72 - low_a, high_b - 0.48, high_a - 0.72, 0.48 - low_b
    expected = (0.24 - np.sqrt(x**2 - 2 * phi * x * y + y**2), 0.24 + np.sqrt(u**2 - 2 * phi * u * v + v**2))
    assert found == pytest.approx(expected)


def test_accuracies_near_one_have_an_interval_with_the_effective_number_of_images():
    correct = {"a": model(1, 4, 2000, 0.99)}
    found = replicates.accuracies(correct)["a"]
    accuracies = correct["a"].mean(axis=1)
    trainings, images = accuracies.var(ddof=1) / 4, correct["a"].mean(axis=0).var(ddof=1) / 2000
    effective = found.mean * (1 - found.mean) / (trainings + images)
    critical = (trainings * stats.t.ppf(0.975, 3) + images * stats.t.ppf(0.975, 1999)) / (trainings + images)
    alpha = 2 * stats.norm.sf(critical)
    expected = proportion_confint(found.mean * effective, effective, alpha, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.sd == pytest.approx(accuracies.std(ddof=1))


def test_one_training_has_the_interval_of_its_images():
    correct = {"a": model(1, 1, 5000)}
    found = replicates.accuracies(correct)["a"]
    expected = accuracy_interval.wilson(int(correct["a"].sum()), 5000)
    assert (found.low, found.high) == pytest.approx(expected, abs=2e-4)
    assert (found.sd, found.training_sd) == (None, None)
    assert "one training: the spread over seeds is unknown" in found.text


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2])
def test_the_bootstrap_over_trainings_and_images_is_mildly_conservative(spread):
    """Pigeonhole bootstrap (Owen, Ann. Appl. Stat. 1, 2007): it counts the interaction once more."""
    first, second = model(3, 12, 400, 0.62, spread), model(4, 12, 400, 0.6, spread)
    random, found = np.random.default_rng(5), []
    for _ in range(1500):
        images = random.integers(0, 400, 400)
        means = [hits[random.integers(0, 12, 12)][:, images].mean() for hits in (first, second)]
        found.append(means[0] - means[1])
    (estimated,) = replicates.differences({"a": first, "b": second})
    assert 0.95 < np.std(found) / estimated.estimate.error < 1.2


def test_groups_of_one_image_change_nothing_and_copies_count_once():
    correct = {"a": model(1, 3, 300), "b": model(2, 4, 300, 0.7)}
    single = replicates.differences(correct)
    random = np.random.default_rng(1)
    assert_alike(replicates.differences(correct, random.permutation(300) * 7), single)
    copied = {name: np.tile(hits, 2) for name, hits in correct.items()}
    groups = np.tile(np.arange(300), 2)
    assert_alike([replace(pair, images=300) for pair in replicates.differences(copied, groups)], single)
    alone = replicates.accuracies(copied, groups)["a"]
    assert alone.training_sd == pytest.approx(replicates.accuracies(correct)["a"].training_sd)


def assert_alike(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert (one.first, one.won, one.lead) == (other.first, other.won, pytest.approx(other.lead))
        for name in ("error", "df", "low", "high", "p_value"):
            assert getattr(one.estimate, name) == pytest.approx(getattr(other.estimate, name)), name


def test_groups_of_different_sizes_weigh_by_images():
    """A model that is equally good in all groups has no variance over groups, whatever their sizes."""
    groups = np.repeat(np.arange(40), np.arange(2, 82, 2))
    correct = np.tile(np.array([[True, False]]), (3, len(groups) // 2))
    assert Components.of(correct, groups).images == pytest.approx(0)


def test_pairs_intervals_and_holm_over_three_models():
    correct = {"a": model(1, 3, 2000, 0.6), "b": model(2, 3, 2000, 0.62), "c": model(3, 5, 2000, 0.75)}
    found = replicates.differences(correct)
    assert [(pair.first, pair.second) for pair in found] == [("b", "a"), ("c", "a"), ("c", "b")]
    expected = multipletests([pair.estimate.p_value for pair in found], method="holm")[1]
    np.testing.assert_allclose([pair.estimate.corrected for pair in found], expected)
    for pair in found:
        first, second = correct[pair.first].mean(axis=1), correct[pair.second].mean(axis=1)
        comparisons = list(itertools.product(first, second))
        assert pair.won == sum(a > b for a, b in comparisons)
        assert pair.lost == sum(a < b for a, b in comparisons)
        assert pair.trainings == (len(first), len(second))
        assert pair.estimate.pairs == 3
        assert (pair.estimate.low > 0) == (pair.estimate.p_value < 0.05 / 3)
        half = pair.lead - pair.estimate.low
        assert intervals.p_value(half / pair.estimate.error, *parts(correct, pair)) == pytest.approx(0.05 / 3)


def parts(correct, pair):
    return intervals.difference_parts(Components.of(correct[pair.first]), Components.of(correct[pair.second]))


@pytest.mark.parametrize("seed", range(8))
def test_the_p_value_agrees_with_the_interval_near_one(seed):
    correct = {"a": model(seed, 3, 150, 0.97, 0.02), "b": model(seed + 20, 4, 150, 0.8 + seed / 60, 0.02)}
    (pair,) = replicates.differences(correct)
    assert pair.lead - 1 <= pair.estimate.low <= pair.lead <= pair.estimate.high <= 1
    assert (pair.estimate.low > 0) == (pair.estimate.p_value < 0.05)


def test_power_over_images_is_that_of_statsmodels():
    design = Design((0, 0), 0, 0.0004, 150)
    for difference in (0.01, 0.05, 0.08):
        expected = TTestPower().power(difference / (0.02 * np.sqrt(150)), 150, 0.05, alternative="larger")
        one_sided = design.power(difference, 5, level=0.1)
        assert one_sided == pytest.approx(expected, abs=1e-6)


def test_power_over_trainings_is_that_of_a_simulation():
    design, random = Design((0.0004, 0.0001), 0, 0.00002, 10**6), np.random.default_rng(0)
    estimated = [v * random.chisquare(4, 20_000) / 4 / 5 for v in design.seeds] + [
        np.full(20_000, design.images)
    ]
    lead = random.normal(0.04, np.sqrt(sum(design.seeds) / 5 + design.images), 20_000)
    critical = intervals.quantile(estimated, [4, 4, 10**6], 0.05)
    assert design.power(0.04, 5) == pytest.approx(
        (lead > critical * np.sqrt(sum(estimated))).mean(), abs=0.04
    )


def test_the_number_of_trainings_is_the_smallest_with_the_power():
    design = Design((0.0001, 0.0004), 0.00004, 0.000005, 10_000)
    needed = design.to_tell(0.01)
    assert design.power(0.01, needed) >= 0.8 > design.power(0.01, needed - 1)
    assert design.to_decide(0.0, 0.01) >= needed  # to show that models are alike takes more
    assert replace(design, images=0.0001).to_tell(0.01) is None
    assert design.to_tell(0.5) <= 3


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.0051, 0.02, Outcome.BETTER),
        (0.0001, 0.02, Outcome.PERHAPS),
        (0.001, 0.004, Outcome.EQUAL),
        (-0.005, 0.005, Outcome.EQUAL),
        (-0.0051, 0.005, Outcome.UNDECIDED),
        (-0.001, 0.02, Outcome.UNDECIDED),
    ],
)
def test_the_outcome_follows_the_interval_and_the_margin(low, high, outcome):
    (pair,) = replicates.differences({"a": model(1, 3, 1000, 0.7), "b": model(2, 3, 1000)})
    assert replace(pair, estimate=replace(pair.estimate, low=low, high=high)).outcome is outcome


def test_the_sentence_has_the_numbers():
    (pair,) = replicates.differences({"a": model(1, 3, 1000, 0.7), "b": model(2, 3, 1000)})
    shown = replace(pair, lead=0.057, images=10_000, won=9, lost=0)
    shown = replace(shown, estimate=replace(pair.estimate, low=0.041, high=0.073, pairs=3))
    assert replicates.sentences(shown) == (
        "a is better than b. Trained 3 times each and tested on the same 10,000 pictures, a is right on 5.70 "
        "more pictures in 100 than b; allowing for luck in the training and in the choice of pictures, the "
        "true lead is between 4.10 and 7.30 (95 % sure for all comparisons together). a has the higher "
        "accuracy in 9 of 9 pairs of trainings."
    )
    undecided = replace(shown, trainings=(3, 5), estimate=replace(pair.estimate, low=-0.002, high=0.1))
    told = replicates.sentences(undecided)
    assert "Trained 3 times (a) and 5 times (b)" in told
    assert "between -0.20 and 10.00 (95 % sure; below 0, b leads)" in told
    assert f"about {undecided.trainings_to_decide} trainings of each would decide" in told
    small = replace(undecided, estimate=replace(undecided.estimate, design=Design((0, 0), 0, 0.01, 50)))
    assert "the test set of 10,000 pictures is too small" in replicates.sentences(small)


def test_one_training_of_a_model_gives_no_verdict_but_that_of_two_files():
    correct = {"a": model(1, 1, 1000, 0.7), "b": model(2, 3, 1000), "c": model(3, 3, 1000, 0.65)}
    pair, other, tested = replicates.differences(correct)
    assert (pair.estimate, other.estimate) == (None, None)
    assert pair.outcome is Outcome.UNKNOWN
    assert (pair.trainings_to_decide, pair.trainings_for_a_point) == (None, None)
    assert tested.estimate.pairs == 1
    a, b = correct["a"][0], correct["b"][0]
    table = [[(x & y).sum() for y in (b, ~b)] for x in (a, ~a)]
    assert pair.files.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)
    told = replicates.sentences(pair)
    assert told.startswith("No verdict about the models: a was trained once, so that the spread")
    assert "These two files only: the first training of a is right on " in told
    assert "no verdict about it, b and c" in replicates.headline(correct)


def test_the_headline_names_every_other_model():
    correct = {
        "a": model(1, 10, 5000, 0.6),
        "b": model(2, 10, 5000, 0.8, 0.01),
        "c": model(3, 10, 5000, 0.79, 0.05),
    }
    told = replicates.headline(correct)
    assert told.startswith("b has the highest mean test accuracy: ")
    assert "It is better than a." in told
    assert "The comparison with c is not decided." in told
    assert replicates.headline({"a": correct["a"]}).endswith(").")


def test_a_model_and_itself_are_equally_good():
    (pair,) = replicates.differences({"a": model(1, 3, 1000), "b": model(1, 3, 1000)})
    assert (pair.lead, pair.estimate.p_value) == (0, 1)
    same = np.tile(model(1, 1, 1000), (3, 1))
    (pair,) = replicates.differences({"a": same, "b": same})
    assert (pair.outcome, pair.estimate.error, pair.won) == (Outcome.EQUAL, 0, 0)


@pytest.mark.parametrize("images", [50, 5000])
def test_all_right_and_all_wrong(images):
    right, wrong = np.ones((3, images), dtype=bool), np.zeros((4, images), dtype=bool)
    alone = replicates.accuracies({"right": right, "wrong": wrong})
    expected = proportion_confint(images, images, method="wilson")
    assert (alone["right"].low, alone["right"].high) == pytest.approx(expected, rel=0.01)
    assert (alone["wrong"].low, alone["wrong"].sd, alone["wrong"].training_sd) == (0, 0, 0)
    both, (apart,) = (
        replicates.differences({"a": right, "b": right[:2]}),
        replicates.differences({"right": right, "wrong": wrong}),
    )
    assert (apart.outcome, apart.won) == (Outcome.BETTER, 12)
    assert both[0].estimate.p_value == 1
    assert "nan" not in replicates.sentences(both[0]) + replicates.sentences(apart)


@pytest.mark.parametrize(
    ("correct", "groups", "message"),
    [
        ({}, None, "at least one model"),
        ({"a": np.ones((2, 9))}, None, r"a: expected bool \(trainings, 9\), found float64 \(2, 9\)"),
        ({"a": np.ones((2, 9), bool), "b": np.ones((2, 8), bool)}, None, "b: expected bool"),
        ({"a": np.ones(9, bool)}, None, "a: expected bool"),
        ({"a": np.ones((0, 9), bool)}, None, "a: expected bool"),
        ({"a": np.ones((2, 1), bool)}, None, "at least 2 independent images"),
        ({"a": np.ones((2, 9), bool)}, np.zeros(9, int), "at least 2 independent images or groups, found 1"),
        ({"a": np.ones((2, 9), bool)}, np.arange(8), "a group for each of 9 images"),
    ],
)
def test_bad_input_is_named(correct, groups, message):
    with pytest.raises(ValueError, match=message):
        replicates.differences(correct, groups)


def test_matched_pairs_are_corrected_for_their_own_number():
    pairs = [{"a": model(1, 3, 900), "b": model(2, 4, 900)}, {"a": model(3, 2, 500), "b": model(4, 5, 500)}]
    found = replicates.matched(pairs)
    alone = [replicates.differences(pair)[0] for pair in pairs]
    for one, other in zip(found, alone, strict=True):
        assert (one.first, one.second, one.lead, one.won) == (
            other.first,
            other.second,
            other.lead,
            other.won,
        )
        assert one.estimate.p_value == other.estimate.p_value
        assert one.estimate.level == 0.05 / 2
        half = one.lead - one.estimate.low, one.estimate.high - one.lead
        assert min(half) > other.lead - other.estimate.low
    for name in ("estimate", "files"):
        p_values = [getattr(pair, name).p_value for pair in alone]
        corrected = [getattr(pair, name).corrected for pair in found]
        assert corrected == pytest.approx(multipletests(p_values, method="holm")[1].tolist())
    assert replicates.matched([]) == []


def test_models_with_the_same_accuracy_share_the_headline():
    first, second = np.arange(400) < 200, np.arange(400) >= 200
    told = replicates.headline({"a": np.array([first] * 3), "b": np.array([second] * 3)})
    assert told.startswith("a and b have the highest mean test accuracy, 50.00 %. The comparison with b")


def test_a_single_model_is_not_compared():
    told = replicates.headline({"a": np.array([np.arange(400) < 200] * 2)})
    assert told.startswith("a is the only model; its test accuracy is 50.00 ± 0.00 % over 2 trainings")


def test_limits_of_a_difference_stay_within_a_hundred_points():
    correct = {
        name: np.arange(400) < np.array(counts)[:, None]
        for name, counts in (("a", (400, 40)), ("b", (390, 8)))
    }
    (pair,) = replicates.differences(correct)
    assert (pair.estimate.low, pair.estimate.high) == (-1, 1)
