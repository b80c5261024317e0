"""Every metric against scikit-learn, statsmodels or a calculation by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score

from cifar10.evaluation import metrics

CLASSES = ["a", "b", "c", "d"]


@pytest.fixture
def predictions():
    generator = np.random.default_rng(5)
    probabilities = generator.dirichlet([0.4] * 4, size=500)
    labels = generator.integers(0, 4, 500)
    return probabilities, labels


def test_summary_agrees_with_scikit_learn(predictions):
    probabilities, labels = predictions
    predicted = probabilities.argmax(axis=1)
    summary = metrics.summary(probabilities, labels, CLASSES)
    assert summary["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert summary["macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert summary["loss"] == pytest.approx(log_loss(labels, np.clip(probabilities, 1e-7, 1)), rel=1e-3)
    recalls = recall_score(labels, predicted, average=None)
    assert summary["class_accuracy"] == pytest.approx(dict(zip(CLASSES, recalls, strict=True)))


def test_calibration_error_of_four_images_by_hand():
    # confidences 0.9, 0.9, 0.6, 0.6 in two bins of ten; right, wrong, right, right
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    labels = np.array([0, 1, 0, 1])
    expected = 0.5 * abs(0.9 - 0.5) + 0.5 * abs(0.6 - 1.0)
    assert metrics.calibration_error(probabilities, labels, bins=10) == pytest.approx(expected)


def test_calibration_error_agrees_with_a_loop_over_the_images(predictions):
    probabilities, labels = predictions
    sums = {}
    for row, label in zip(probabilities, labels, strict=True):
        index = next(k for k in range(15) if row.max() <= (k + 1) / 15)
        sums.setdefault(index, []).append((row.max(), row.argmax() == label))
    gaps = [abs(sum(c for c, _ in b) - sum(r for _, r in b)) for b in sums.values()]
    assert metrics.calibration_error(probabilities, labels) == pytest.approx(sum(gaps) / len(labels))


def test_reliability_counts_every_image_once(predictions):
    table = metrics.reliability(*predictions)
    assert table["images"].sum() == 500
    assert len(table) == 15
    filled = table.dropna()
    assert (filled["confidence"] > filled["lower"]).all()
    assert (filled["confidence"] <= filled["upper"] + 1e-12).all()


def test_a_class_without_images_has_no_accuracy():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    summary = metrics.summary(probabilities, np.array([0, 0]), ["a", "b", "c"])
    assert summary["class_accuracy"] == {"a": 0.5, "b": None, "c": None}
