"""The OOD detectors of several trainings together."""

import dataclasses

import numpy as np
import pytest

from cifar10.evaluation import detector, ensemble_detector, layer_distances, ood_scores
from tests.evaluation.random_outputs import outputs


def made(count: int, seed: int) -> detector.Detector:
    random = np.random.default_rng(seed)
    reference = {part: np.sort(random.normal(size=count)) for part in ("msp", "combined")}
    statistics = layer_distances.LayerStatistics([], [])
    layers = ood_scores.LayerScores(statistics, np.zeros(0), np.ones(0), np.zeros((0, 0)))
    reference["combined"] = random.permutation(reference["combined"])
    none = np.zeros((count, 0), np.float32)
    return detector.Detector(("msp",), 0.0, layers, reference, none, ["a"], auroc=0.7 + seed / 10)


def test_detectors_of_several_trainings_decide_by_their_mean_score():
    members, given = (
        [made(200, seed) for seed in (0, 1)],
        [dataclasses.replace(outputs(30), layers=[]) for _ in range(2)],
    )
    both = ensemble_detector.combine(members)
    scores = both.id_scores(given)
    expected = [one.id_scores(found) for one, found in zip(members, given, strict=True)]
    np.testing.assert_allclose(scores, sum(expected) / 2)
    reference = sum(one.references["combined"] for one in members) / 2
    assert 0.95 <= (reference >= both.threshold).mean() < 0.96
    np.testing.assert_array_equal(both.is_id(scores), scores >= both.threshold)
    np.testing.assert_allclose(both.p_values(scores), [(1 + (reference <= x).sum()) / 201 for x in scores])
    assert (both.parts, both.auroc, both.reliable) == (["msp"], pytest.approx(0.75), False)
    with pytest.raises(ValueError, match="shape"):
        ensemble_detector.combine([made(200, 0), made(199, 1)])
