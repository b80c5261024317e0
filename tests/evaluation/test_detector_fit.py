"""The fit of an OOD detector: combination of scores, thresholds, measurement."""

import dataclasses

import numpy as np

from cifar10.data.dataset import Split
from cifar10.evaluation import detector_fit, ensemble_detector
from cifar10.evaluation.features import Outputs
from tests.evaluation.random_outputs import RANDOM


def test_a_network_without_hidden_layers_has_a_detector_by_its_outputs():
    def plain(images):
        return dataclasses.replace(extract(images), layers=[])

    split = Split(RANDOM.integers(128, 256, (60, 32, 32, 3)).astype(np.uint8), np.arange(60) % 2)
    found = detector_fit.fit(plain, split, split, {"dark": split.images // 2}, ["a", "b"])
    answer = detector_fit.person_answer(found.detector, plain(split.images[:1]))
    assert answer["layers"] == []
    assert found.pseudo_ood["combined"]["dark"] == 1


def extract(images: np.ndarray) -> Outputs:
    """Outputs of which the MSP separates dark from bright images; the energy and the layers do not."""
    bright = images.reshape(len(images), -1).mean(axis=1) / 255
    probabilities = np.stack([0.5 + bright / 2, 0.5 - bright / 2], axis=1)
    return Outputs(
        np.ones((len(images), 6), np.float32),
        np.zeros((len(images), 2)),
        probabilities,
        [np.ones((len(images), 3), np.float32)],
    )


def fitted(pseudo_ood=None):
    bright, dark = (
        RANDOM.integers(*range_, (400, 32, 32, 3)).astype(np.uint8) for range_ in ((128, 256), (0, 128))
    )
    split = Split(bright, np.arange(400) % 2)
    return detector_fit.fit(extract, split, split, pseudo_ood or {"dark": dark}, ["a", "b"]), bright, dark


def test_scores_are_compared_combined_and_measured():
    found, bright, dark = fitted()
    assert found.pseudo_ood["msp"] == {"dark": 1.0, "mean": 1.0}
    assert found.pseudo_ood["energy"]["mean"] == 0.5  # it cannot tell
    assert "msp" in found.detector.parts
    assert found.memory_bank.shape == (360, 6)
    scored = {name: found.scores(extract(images)) for name, images in (("test", bright), ("dark", dark))}
    measured = detector_fit.measure(found.thresholds, scored)
    for score in ("msp", "combined"):
        assert 0.95 <= measured[score]["tpr"] < 0.955
        assert (measured[score]["auroc"], measured[score]["fpr"]) == ({"dark": 1.0}, {"dark": 0.0})
    finished = detector_fit.finished(found.detector, measured, "validation")
    assert finished.auroc == 1
    assert ensemble_detector.is_reliable(finished.auroc)
    answer = detector_fit.person_answer(finished, extract(dark[:1]))
    assert answer["p_value"] == 1 / 401
    assert answer["layers"] == [1.0]  # as usual as all others


def test_training_images_are_extracted_without_their_mirror_images():
    counts = []

    def plain(images):
        counts.append(len(images))
        return extract(images)

    found, bright, dark = fitted()
    split = Split(bright, np.arange(400) % 2)
    again = detector_fit.fit(extract, split, split, {"dark": dark}, ["a", "b"], plain)
    assert counts == [360]  # the images of the fit
    assert again.thresholds == found.thresholds
    np.testing.assert_array_equal(again.memory_bank, found.memory_bank)


def test_of_combinations_as_good_as_the_best_the_one_with_the_most_scores_is_chosen():
    found, *_ = fitted()
    assert found.detector.parts == ("msp", "energy", "layers", "joint")  # constant scores cost no AUROC


def test_a_kind_without_images_is_null_and_the_choice_uses_the_others():
    images = np.zeros((40, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(40)
    split, dark = Split(images + 100, np.arange(40) % 2), images
    found = detector_fit.fit(extract, split, split, {"blends": images[:0], "dark": dark}, ["a", "b"])
    without = detector_fit.fit(extract, split, split, {"dark": dark}, ["a", "b"])
    assert found.detector.parts == without.detector.parts
    for score in detector_fit.SCORES:
        assert found.pseudo_ood[score] == {"blends": None, **without.pseudo_ood[score]}


def test_threshold_images_without_validation_take_no_part_in_the_fit():
    images = np.zeros((95, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(95)
    training, none = Split(images, np.zeros(95, int)), Split(images[:0], np.zeros(0, int))
    held_out, name = detector_fit.threshold_images(training, none)
    assert name == "training"
    numbers = held_out.images[:, 0, 0, 0]
    assert len(numbers) == 10
    assert set(numbers) | set(detector_fit.fitted_indices(95)) == set(range(95))
    assert set(numbers).isdisjoint(detector_fit.fitted_indices(95))
    assert detector_fit.threshold_images(training, training) == (training, "validation")
