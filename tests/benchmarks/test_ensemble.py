"""The rules that benchmarks/ensemble.py compares."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from benchmarks import ensemble


@pytest.fixture(scope="module")
def made():
    """Scores and probabilities of 3 seeds with independent noise, for ID and OOD images."""
    random = np.random.default_rng(0)
    shifts = {"validation": 1.0, "test": 1.0, "others": 0.0}
    each = {kind: random.normal(shift, 1, (3, 400)) for kind, shift in shifts.items()}
    probabilities = {kind: random.dirichlet(np.ones(4), (3, 400)) for kind in shifts}
    return each, probabilities, ensemble.rules(each, probabilities)


def test_the_first_rule_is_the_detector_of_the_first_seed(made):
    each, _, found = made
    assert [*found] == [*ensemble.RULES]
    assert np.array_equal(found[ensemble.FIRST]["others"], each["others"][0])


def test_the_mean_over_seeds_is_better_than_one(made):
    each, _, found = made
    assert found[ensemble.MEAN]["test"] == pytest.approx(np.mean(each["test"], axis=0))
    first, mean = (ensemble.rates(found[rule])["auroc"]["others"] for rule in [*ensemble.RULES][:2])
    assert mean > first + 0.05  # independent noise: three seeds are better than one


def test_agreement_is_minus_the_mutual_information(made):
    _, probabilities, found = made
    some = probabilities["test"]
    expected = stats.entropy(some, axis=2).mean(axis=0) - stats.entropy(some.mean(axis=0), axis=1)
    assert found["agreement of the seeds"]["test"] == pytest.approx(expected)
    assert (found["agreement of the seeds"]["test"] <= 0).all()


def test_the_rates_are_those_of_scikit_learn(made):
    _, _, found = made
    scores = found["MSP of the ensemble"]
    rates = ensemble.rates(scores)
    labels = np.repeat([1, 0], 400)
    assert rates["auroc"]["others"] == roc_auc_score(labels, np.r_[scores["test"], scores["others"]])
    threshold = np.sort(scores["validation"])[19]  # 95 % of 400 are at or above it
    assert rates["tpr"] == np.mean(scores["test"] >= threshold)
    assert rates["fpr"]["others"] == np.mean(scores["others"] >= threshold)
