"""AUROC against the ROC curve; its interval against plain formulas, a bootstrap, and areas that are known."""

import numpy as np
import pytest
from scipy.stats import norm, t
from sklearn.metrics import roc_curve

from cifar10.evaluation import auroc


@pytest.fixture
def random():
    return np.random.default_rng(11)


def test_area_against_the_roc_curve(random):
    inside, outside = random.normal(1, 1, 300), random.normal(0, 1, 200)
    false, true, _ = roc_curve(np.r_[np.ones(300), np.zeros(200)], np.r_[inside, outside])
    assert auroc.area(inside, outside) == pytest.approx(np.trapezoid(true, false))
    assert auroc.area(outside, inside) == pytest.approx(1 - auroc.area(inside, outside))


def plain(id_scores, ood_scores, groups):
    """DeLong's and Obuchowski's formulas by loops over all pairs: area, standard error, freedom."""
    pairs = np.array([[(a > b) + (a == b) / 2 for b in ood_scores] for a in id_scores])
    area, (m, n) = pairs.mean(), pairs.shape
    of_id = sum((row.mean() - area) ** 2 for row in pairs) / (m - 1) / m
    names = sorted(set(groups))
    sums = [sum(pairs[:, j].mean() - area for j in range(n) if groups[j] == name) for name in names]
    of_ood = len(names) / (len(names) - 1) * sum(total**2 for total in sums) / n**2
    freedom = (of_id + of_ood) ** 2 / (of_id**2 / (m - 1) + of_ood**2 / (len(names) - 1))
    return area, np.sqrt(of_id + of_ood), freedom


@pytest.mark.parametrize("crops", [None, [1] * 30, [10, 12, 8], [5] * 6])
def test_interval_against_the_plain_formulas_with_equal_scores(crops, random):
    id_scores, ood_scores = random.integers(2, 12, 40), random.integers(0, 9, 30)
    groups = np.repeat(np.arange(len(crops)), crops) if crops else np.arange(30)
    area, error, freedom = plain(id_scores, ood_scores, groups)
    assert area == pytest.approx(auroc.area(id_scores, ood_scores))
    reach = t.ppf(0.975, freedom) * error / area / (1 - area)
    odds = area / (1 - area) * np.exp([-reach, reach])
    assert auroc.interval(id_scores, ood_scores, crops) == pytest.approx(odds / (1 + odds))


def test_the_width_is_that_of_a_bootstrap_over_images_and_pictures(random):
    id_scores = random.normal(1, 1, 500)
    ood_scores = (random.normal(0, 0.6, (40, 1)) + random.normal(0, 0.8, (40, 10))).ravel()
    areas = []
    for _ in range(600):
        chosen = ood_scores.reshape(40, 10)[random.integers(40, size=40)].ravel()
        areas.append(np.mean(random.choice(id_scores, 500)[:, np.newaxis] > chosen))
    low, high = auroc.interval(id_scores, ood_scores, [10] * 40)
    bootstrap = np.quantile(areas, [0.025, 0.975])
    assert (low, high) == pytest.approx(tuple(bootstrap), abs=0.02)
    assert high - low == pytest.approx(np.ptp(bootstrap), rel=0.15)


@pytest.mark.parametrize(("pictures", "crops", "shared"), [(100, 1, 0), (9, 50, 0.5), (3, 50, 0.5)])
def test_95_percent_of_the_intervals_hold_the_true_area(pictures, crops, shared, random):
    """Scores of ID images are normal around 1, those of OOD images around 0: the area is known."""
    area, times = norm.cdf(1 / np.sqrt(2)), 400
    hits = {"pictures": 0, "crops": 0, "bootstrap": 0}
    for _ in range(times):
        of_picture = np.sqrt(shared) * random.normal(size=(pictures, 1))
        scores = (of_picture + np.sqrt(1 - shared) * random.normal(size=(pictures, crops))).ravel()
        id_scores = random.normal(1, 1, 500)
        for kind, sizes in (("pictures", [crops] * pictures), ("crops", None)):
            low, high = auroc.interval(id_scores, scores, sizes)
            hits[kind] += low <= area <= high
        below = (scores.reshape(pictures, crops, 1) < id_scores[::5]).mean(axis=(1, 2))
        again = np.mean(random.choice(below, (500, pictures)), axis=1)
        hits["bootstrap"] += np.quantile(again, 0.025) <= area <= np.quantile(again, 0.975)
    assert 0.91 <= hits["pictures"] / times <= 0.98
    assert shared == 0 or hits["crops"] / times < 0.6  # crops of a picture are not independent
    assert (hits["bootstrap"] / times < 0.8) == (pictures == 3)  # percentiles, over the pictures alone


def test_complete_separation_has_an_interval_by_the_number_of_pictures():
    high, low = np.arange(10, 20), np.arange(6)
    assert auroc.interval(high, low) == (pytest.approx(0.025 ** (1 / 6)), 1)
    assert auroc.interval(high[:3], low) == (pytest.approx(0.025 ** (1 / 3)), 1)
    assert auroc.interval(low, high, [4, 6]) == (0, pytest.approx(1 - 0.025 ** (1 / 2)))


def test_scores_that_are_all_equal_separate_nothing():
    assert auroc.interval(np.ones(9), np.ones(7)) == (0.5, 0.5)


@pytest.mark.parametrize(("ids", "crops"), [(5, [4]), (1, [2, 2]), (5, [])])
def test_one_picture_or_one_image_shows_no_spread(ids, crops):
    assert auroc.interval(np.arange(ids), np.arange(sum(crops)), crops) is None


def test_crops_of_other_images_are_refused():
    with pytest.raises(ValueError, match="expected 5 OOD images, got 4"):
        auroc.interval(np.arange(9), np.arange(4), [2, 3])
