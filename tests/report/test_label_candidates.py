"""Pictures with swapped labels are label candidates."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from cifar10.report import label_candidates, plot_label_candidates, results
from tests import plausible

CLASSES = ["cat", "dog", "frog"]
SURE = np.eye(3)[[0, 0, 1, 1, 2, 2]] * 0.94 + 0.02  # of six pictures, two of each class


@pytest.fixture(scope="module")
def digits():
    """Labels of digits, 3 % of them swapped, which ones, and probabilities from models of other digits."""
    pixels, labels = load_digits(return_X_y=True)
    random = np.random.default_rng(0)
    swapped = np.zeros(len(labels), bool)
    swapped[random.permutation(len(labels))[: round(0.03 * len(labels))]] = True
    given = np.where(swapped, (labels + random.integers(1, 10, len(labels))) % 10, labels)
    model, folds = LogisticRegression(C=0.1, max_iter=200), StratifiedKFold(5, shuffle=True, random_state=0)
    return given, swapped, cross_val_predict(model, pixels / 16, given, cv=folds, method="predict_proba")


def test_swapped_labels_of_digits_are_found(digits):
    given, swapped, probabilities = digits
    candidate = np.zeros(len(given), bool)
    candidate[label_candidates.find(given, probabilities)] = True
    assert precision_score(swapped, candidate) > 0.9
    assert recall_score(swapped, candidate) > 0.65
    reference = find_label_issues(given, probabilities, filter_by="low_self_confidence", n_jobs=1)
    assert np.array_equal(candidate, reference)


def test_the_likeliest_of_the_digits_lead(digits):
    given, swapped, probabilities = digits
    found = label_candidates.find(given, probabilities)
    assert swapped[found[:25]].all()
    assert (np.diff(probabilities[found, given[found]]) >= 0).all()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([0, 0, 1, 1, 2, 2], [], id="all labels are right"),
        pytest.param([0, 1, 1, 1, 2, 2], [1], id="one is wrong"),
        pytest.param([0, 0, 1, 1, 1, 1], [], id="a class without pictures"),
        pytest.param([0] * 6, [], id="one class"),
        pytest.param([], [], id="no pictures"),
    ],
)
def test_few_pictures(given, expected):
    probabilities = SURE[: len(given)]
    assert label_candidates.find(np.array(given, np.int64), probabilities).tolist() == expected


def test_a_row_names_the_picture_and_both_classes():
    given = np.array([0, 1, 1, 1, 2, 2])
    table = label_candidates.table(["test"] * 6, range(10, 16), given, SURE, CLASSES)
    assert table.to_dict("records") == [
        {
            "split": "test",
            "index": 11,
            "given": "dog",
            "predicted": "cat",
            "probability_given": 0.02,
            "probability_predicted": 0.96,
        }
    ]


@pytest.mark.parametrize("validation", [True, False])
def test_the_best_model_looks_at_all_pictures_that_it_was_not_trained_on(tmp_path, validation, monkeypatch):
    skills = {"model_0": 1.0, "model_2": 4.0}
    monkeypatch.chdir(
        plausible.write(tmp_path, skills=skills, images=300, seeds=[0, 1], validation=validation)
    )
    found = results.load([*skills], [0, 1])
    candidates = label_candidates.of(found)
    assert (candidates.model, candidates.pictures) == ("model_2", 450 if validation else 300)
    assert set(candidates.table["split"]) == ({"validation", "test"} if validation else {"test"})
    model, classes = found.models[1], np.array(plausible.CIFAR10)
    for row in candidates.table.itertuples(index=False, name=None):
        split, index, given, predicted, low, high = row
        runs = [run.validation if split == "validation" else run for run in model.trainings]
        mean = np.mean([run.probabilities[index] for run in runs], axis=0)
        assert given == classes[np.load(f"data/processed/{split}/labels.npy")[index]]
        assert predicted == classes[mean.argmax()] != given
        assert (low, high) == pytest.approx((mean[classes == given][0], mean.max()), abs=1e-4)
    assert f"by model_2: {len(candidates.table)} of" in label_candidates.sentence(candidates)


def test_the_figure_shows_the_likeliest_with_their_labels():
    given = np.repeat([0, 1, 2], 30)
    probabilities = np.eye(3)[(given + 1) % 3] * 0.94 + 0.02
    table = label_candidates.table(["test"] * 90, range(90), given, probabilities, CLASSES)
    pictures = np.zeros((90, 8, 8, 3), np.uint8)
    figure = plot_label_candidates.draw(table, CLASSES, lambda split: (pictures, given))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert len(texts) == min(len(table), 25)
    assert texts[:1] == [f"test {table['index'][0]}\ngiven: {table.given[0]}\n{table.predicted[0]} 96 %"]
