"""The temperature against logits of a known one, against a search by steps, and in files."""

import numpy as np
import pytest
from scipy.special import softmax

from cifar10.evaluation import detector, detector_fit, metrics, temperature
from cifar10.evaluation.temperature import Validation
from cifar10.training.probabilities import cross_entropy
from tests import plausible

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(0, 2, (4000, 5))
LABELS = (LOGITS + RANDOM.gumbel(size=LOGITS.shape)).argmax(axis=1)  # softmax(LOGITS) is calibrated


def validation(factor, images=slice(None)):
    probabilities = softmax(factor * LOGITS[images], axis=1).astype(np.float32)
    return Validation(LABELS[images], probabilities)


@pytest.mark.parametrize("factor", [0.5, 1, 3])
def test_the_factor_of_logits_is_found_and_undone(factor):
    found = temperature.fit([validation(factor)])
    assert found == pytest.approx(factor, rel=0.05)
    after = temperature.scaled(validation(factor).probabilities, found)
    np.testing.assert_allclose(after, softmax(LOGITS * factor / found, axis=1), rtol=1e-4, atol=1e-7)
    assert (after.argmax(axis=1) == LOGITS.argmax(axis=1)).all()
    measured = temperature.measured([validation(factor)], validation(factor).probabilities, LABELS)
    assert measured["calibrated"]["temperature"] == found
    assert measured["calibrated"]["calibration_error"] == metrics.calibration_error(after, LABELS)
    assert measured["calibrated"]["calibration_error"] < 0.02


def test_no_other_temperature_has_a_lower_loss():
    each = validation(2)
    losses = {
        t: cross_entropy(temperature.scaled(each.probabilities, t), LABELS) for t in np.arange(1, 3, 0.01)
    }
    assert temperature.fit([each]) == pytest.approx(min(losses, key=losses.get), abs=0.01)


def test_an_ensemble_is_scaled_after_the_mean():
    """The mean of scaled probabilities would be underconfident."""
    noise = [RANDOM.normal(0, 3, LOGITS.shape) for _ in range(3)]
    each = [Validation(LABELS, softmax(2 * LOGITS + n, axis=1).astype(np.float32)) for n in noise]
    mean = np.mean([one.probabilities for one in each], axis=0, dtype=np.float64)
    together = temperature.scaled(mean, temperature.fit(each))
    alone = [temperature.scaled(one.probabilities, temperature.fit([one])) for one in each]
    errors = [metrics.calibration_error(p, LABELS) for p in (together, np.mean(alone, axis=0))]
    assert errors[0] < errors[1] / 2


def test_scores_of_zero_stay_zero_and_one_changes_no_bit():
    probabilities = np.array([[0.0, 1.0], [0.25, 0.75]])
    assert temperature.scaled(probabilities, 1.0) is probabilities
    np.testing.assert_allclose(temperature.scaled(probabilities, 0.5), [[0, 1], [0.1, 0.9]])
    assert np.isfinite(temperature.scaled(probabilities, 20.0)).all()


def test_few_images_or_different_ones_give_none():
    few = validation(2, slice(temperature.LEAST - 1))
    assert temperature.fit([few]) is None
    assert temperature.fit([temperature.NONE, temperature.NONE]) is None
    assert temperature.fit([validation(1), Validation(LABELS[::-1], validation(1).probabilities)]) is None
    assert temperature.measured([few], few.probabilities, few.labels) == {}


def test_the_file_of_the_detector_keeps_the_predictions(tmp_path):
    kept = validation(2, slice(50))
    detector.save(plausible.detector([], [*"abcde"], kept), tmp_path / "seed_0.ood.npz")
    found = detector.load(tmp_path / "seed_0.ood.npz").validation
    for ours, theirs in zip(found, kept, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    "wrong",
    [
        Validation(LABELS[:3], np.full((3, 4), 0.25, np.float32)),
        Validation(LABELS[:3], np.full((2, 5), 0.2, np.float32)),
        Validation(LABELS[:3] + 5, np.full((3, 5), 0.2, np.float32)),
        Validation(LABELS[:3], np.full((3, 5), np.nan, np.float32)),
        Validation(LABELS[:3], np.full((3, 5), 0.2)),
        Validation(LABELS[:3].astype(float), np.full((3, 5), 0.2, np.float32)),
    ],
)
def test_other_predictions_are_not_taken(wrong):
    assert not wrong.is_of(5)


def test_predictions_for_training_images_give_no_temperature():
    fitted = plausible.detector([], [*"abcde"], validation(1))
    for data, images in (("validation", 4000), ("training", 0)):
        kept = detector_fit.finished(fitted, {"combined": {"auroc": {}}}, data).validation
        assert kept.probabilities.shape == (images, 5)
        assert len(kept.labels) == images
