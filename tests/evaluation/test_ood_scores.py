"""ID scores against independent implementations."""

import dataclasses

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from scipy.stats import combine_pvalues
from sklearn.covariance import EmpiricalCovariance
from sklearn.neighbors import NearestNeighbors

from cifar10.evaluation import layer_distances, ood_scores
from cifar10.evaluation.features import Outputs
from tests.evaluation.random_outputs import RANDOM, outputs


def test_msp_and_energy_against_scipy():
    given = outputs(50)
    np.testing.assert_allclose(np.log(ood_scores.msp(given)), log_softmax(given.logits, axis=1).max(axis=1))
    np.testing.assert_allclose(ood_scores.energy(given), logsumexp(given.logits, axis=1))


def test_knn_distance_against_scikit_learn():
    bank, given = ood_scores.unit(outputs(200).features), outputs(50)
    oracle = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(bank.astype(np.float64))
    distances, _ = oracle.kneighbors(ood_scores.unit(given.features).astype(np.float64))
    np.testing.assert_allclose(ood_scores.knn(given, bank), -distances[:, -1], atol=1e-6)


def test_zero_features_and_a_small_memory_bank():
    empty = Outputs(np.zeros((2, 6), np.float32), np.zeros((2, 4)), np.full((2, 4), 0.25))
    assert np.isfinite(ood_scores.knn(empty, ood_scores.unit(outputs(3).features))).all()


@pytest.mark.parametrize("layers", [[np.zeros((9, 3), np.float32)], [np.ones((1, 3), np.float32)], []])
def test_constant_features_one_image_and_no_layer(layers):
    given = dataclasses.replace(outputs(len(layers[0]) if layers else 7), layers=layers)
    statistics = layer_distances.fit(layers)
    scores = ood_scores.fit_layers(statistics, statistics.distances(layers, len(given.logits)))
    found = ood_scores.part_scores(scores, given)
    assert {values.shape for values in found.values()} == {given.logits.shape[:1]}
    assert np.isfinite([*found.values()]).all()


def test_layer_scores_are_two_sided_and_the_joint_one_is_a_mahalanobis_distance():
    statistics = layer_distances.fit(outputs(300).layers)
    inside, outside = (
        statistics.distances(outputs(count, shift).layers, count) for count, shift in ((500, 0), (40, 1))
    )
    scores = ood_scores.fit_layers(statistics, inside)
    deviations = (outside - inside.mean(axis=0)) / inside.std(axis=0)
    np.testing.assert_allclose(scores.separate(deviations), -(deviations**2).sum(axis=1))
    np.testing.assert_allclose(scores.separate(-deviations), scores.separate(deviations))
    oracle = EmpiricalCovariance().fit(inside).mahalanobis(outside)
    np.testing.assert_allclose(scores.joint(deviations), -oracle, rtol=1e-3)


def test_p_values_by_counting_and_their_combination_against_scipy():
    reference, scores = np.sort(RANDOM.normal(size=99)), RANDOM.normal(size=20)
    found = ood_scores.p_values(scores, reference)
    np.testing.assert_allclose(found, [(1 + (reference <= score).sum()) / 100 for score in scores])
    parts = {"msp": scores, "energy": -scores}
    references = {"msp": reference, "energy": np.sort(-reference)}
    combined = ood_scores.combined(("msp", "energy"), parts, references)
    for index, both in enumerate(
        zip(*(ood_scores.p_values(parts[part], references[part]) for part in parts), strict=True)
    ):
        assert -2 * combined[index] == pytest.approx(combine_pvalues(both, method="fisher").statistic)
