"""The OOD detector: threshold and file."""

import dataclasses

import numpy as np
import pytest

from cifar10.errors import UserError
from cifar10.evaluation import detector, ensemble_detector, layer_distances, ood_scores
from tests.evaluation.random_outputs import RANDOM, outputs


@pytest.mark.parametrize("count", [1, 19, 20, 100, 5000])
def test_threshold_has_at_least_95_percent_tpr(count):
    scores = RANDOM.normal(size=count)
    tpr = (scores >= detector.threshold(scores)).mean()
    assert 0.95 <= tpr <= 0.95 + 2 / count


def test_detector_file_round_trip_and_equal_bytes(tmp_path):
    statistics, inside = layer_distances.fit(outputs(300).layers), outputs(100)
    layers = ood_scores.fit_layers(statistics, statistics.distances(inside.layers, 100))
    references = {part: np.sort(values) for part, values in ood_scores.part_scores(layers, inside).items()}
    references["combined"] = np.sort(RANDOM.normal(size=100))
    deviations = np.sort(np.abs(layers.deviations(inside)), axis=0).astype(np.float32)
    ours = detector.Detector(
        ood_scores.PARTS, -0.25, layers, references, deviations, ["ä", "b, c"], auroc=0.79
    )
    for name in ("first.npz", "second.npz"):
        detector.save(ours, tmp_path / name)
    again, given = detector.load(tmp_path / "first.npz"), outputs(30)
    np.testing.assert_array_equal(again.id_scores(given), ours.id_scores(given))
    np.testing.assert_array_equal(again.layer_p_values(given), ours.layer_p_values(given))
    assert (again.parts, again.threshold, again.classes) == (ood_scores.PARTS, -0.25, ["ä", "b, c"])
    assert (again.auroc, ensemble_detector.is_reliable(again.auroc)) == (0.79, False)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    for counted, column in zip(ours.layer_p_values(given).T, range(2), strict=True):
        found = np.abs(layers.deviations(given))[:, column].astype(np.float32)
        np.testing.assert_allclose(counted, [(1 + (deviations[:, column] >= x).sum()) / 101 for x in found])
    unmeasured = dataclasses.replace(ours, auroc=None)
    detector.save(unmeasured, tmp_path / "none.npz")
    assert detector.load(tmp_path / "none.npz").auroc is None
    assert ensemble_detector.is_reliable(None) is None


def test_a_missing_file_names_the_command(tmp_path):
    with pytest.raises(
        UserError, match=r"model\.ood\.npz not found: run `dvc pull .*` to fetch it or `dvc repro` to make it"
    ):
        detector.load(tmp_path / "model.ood.npz")
