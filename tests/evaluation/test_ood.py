"""OOD detection: ID scores against independent implementations, thresholds, datasets."""

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.metrics import roc_curve
from sklearn.neighbors import NearestNeighbors

from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.evaluation import ood, ood_images
from cifar10.evaluation.features import Outputs

RANDOM = np.random.default_rng(5)
NONE = np.zeros((0, 6), np.float32)


def outputs(count: int, shift: float = 0) -> Outputs:
    logits = RANDOM.normal(size=(count, 4)) * 3
    features = np.abs(RANDOM.normal(size=(count, 6)) + shift).astype(np.float32)
    return Outputs(features, logits, softmax(logits, axis=1))


def test_msp_and_energy_against_scipy():
    given = outputs(50)
    np.testing.assert_allclose(
        np.log(ood.id_scores("msp", given, NONE)), log_softmax(given.logits, axis=1).max(axis=1)
    )
    np.testing.assert_allclose(ood.id_scores("energy", given, NONE), logsumexp(given.logits, axis=1))


def test_knn_distance_against_scikit_learn():
    bank, given = ood.unit(outputs(200).features), outputs(50)
    oracle = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(bank.astype(np.float64))
    distances, _ = oracle.kneighbors(ood.unit(given.features).astype(np.float64))
    np.testing.assert_allclose(ood.id_scores("knn", given, bank), -distances[:, -1], atol=1e-6)


def test_zero_features_and_a_small_memory_bank():
    empty = Outputs(np.zeros((2, 6), np.float32), np.zeros((2, 4)), np.full((2, 4), 0.25))
    assert np.isfinite(ood.id_scores("knn", empty, ood.unit(outputs(3).features))).all()


@pytest.mark.parametrize("count", [1, 19, 20, 100, 5000])
def test_threshold_has_at_least_95_percent_tpr(count):
    scores = RANDOM.normal(size=count)
    tpr = (scores >= ood.threshold(scores)).mean()
    assert 0.95 <= tpr <= 0.95 + 2 / count


def test_auroc_against_the_roc_curve():
    inside, outside = RANDOM.normal(1, 1, 300), RANDOM.normal(0, 1, 200)
    false, true, _ = roc_curve(np.r_[np.ones(300), np.zeros(200)], np.r_[inside, outside])
    assert ood.auroc(inside, outside) == pytest.approx(np.trapezoid(true, false))
    assert ood.auroc(outside, inside) == pytest.approx(1 - ood.auroc(inside, outside))


def extract(images: np.ndarray) -> Outputs:
    """Features whose MSP alone separates dark from bright images."""
    bright = images.reshape(len(images), -1).mean(axis=1) / 255
    probabilities = np.stack([0.5 + bright / 2, 0.5 - bright / 2], axis=1)
    return Outputs(np.ones((len(images), 6), np.float32), np.zeros((len(images), 2)), probabilities)


def test_the_best_score_is_chosen_and_measured():
    bright, dark = (
        RANDOM.integers(*range_, (400, 32, 32, 3)).astype(np.uint8) for range_ in ((128, 256), (0, 128))
    )
    split = Split(bright, np.arange(400) % 2)
    detectors, choice = ood.fit(extract, split, split, {"dark": dark}, ["a", "b"])
    assert choice["score"] == "msp"
    assert choice["pseudo_ood"]["msp"] == {"dark": 1.0, "mean": 1.0}
    assert choice["pseudo_ood"]["energy"]["mean"] == 0.5  # it cannot tell
    assert [detectors[name].memory_bank.shape for name in ood.SCORES] == [(0, 6), (0, 6), (360, 6)]
    measured = ood.measure(detectors, extract(bright), {"dark": extract(dark)})["msp"]
    assert 0.95 <= measured["tpr"] < 0.955
    assert (measured["auroc"], measured["fpr"]) == ({"dark": 1.0}, {"dark": 0.0})


def test_a_kind_without_images_is_null_and_the_choice_uses_the_others():
    images = np.zeros((40, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(40)
    split, dark = Split(images + 100, np.arange(40) % 2), images
    empty = images[:0]
    _, choice = ood.fit(extract, split, split, {"blends": empty, "dark": dark}, ["a", "b"])
    _, without = ood.fit(extract, split, split, {"dark": dark}, ["a", "b"])
    assert choice["score"] == without["score"]
    for score in ood.SCORES:
        assert choice["pseudo_ood"][score] == {"blends": None, **without["pseudo_ood"][score]}


def test_threshold_images_without_validation_are_outside_the_memory_bank():
    images = np.zeros((95, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(95)
    training, none = Split(images, np.zeros(95, int)), Split(images[:0], np.zeros(0, int))
    held_out, name = ood.threshold_images(training, none)
    assert name == "training"
    numbers = held_out.images[:, 0, 0, 0]
    assert len(numbers) == 10
    assert set(numbers) | set(ood.memory_bank_indices(95)) == set(range(95))
    assert set(numbers).isdisjoint(ood.memory_bank_indices(95))
    assert ood.threshold_images(training, training) == (training, "validation")


def test_detector_file_round_trip_and_equal_bytes(tmp_path):
    detector = ood.Detector("knn", -0.25, ood.unit(outputs(20).features), ["ä", "b, c"])
    for name in ("first.npz", "second.npz"):
        ood.save(detector, tmp_path / name)
    again = ood.load(tmp_path / "first.npz")
    np.testing.assert_array_equal(again.memory_bank, detector.memory_bank)
    assert (again.score, again.threshold, again.classes) == ("knn", -0.25, ["ä", "b, c"])
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_a_missing_file_names_the_command(tmp_path):
    with pytest.raises(
        UserError, match=r"model\.ood\.npz not found: run `dvc pull .*` to fetch it or `dvc repro` to make it"
    ):
        ood.load(tmp_path / "model.ood.npz")


def test_pseudo_ood_images_are_made_of_the_images():
    images = RANDOM.integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(40) % 2
    made = ood_images.pseudo_ood(images, labels)
    for picture, puzzle in zip(images, made["puzzles"], strict=True):
        assert not np.array_equal(picture, puzzle)
        np.testing.assert_array_equal(np.sort(tiles(picture)), np.sort(tiles(puzzle)))
    means = {
        ((a.astype(int) + b) // 2).tobytes()
        for a in images[labels == 0]
        for b in images[labels == 1].astype(int)
    }
    assert {blend.astype(int).tobytes() for blend in made["blends"]} <= means
    assert 0 < len(made["blends"]) < 40


def tiles(picture: np.ndarray) -> list[str]:
    return [picture[y : y + 8, x : x + 8].tobytes().hex() for y in range(0, 32, 8) for x in range(0, 32, 8)]
