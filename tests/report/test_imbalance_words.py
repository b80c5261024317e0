"""Where the classes of the test set differ, the report leads with the balanced accuracy."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from cifar10 import params
from cifar10.report import imbalance_words, render, results
from tests import plausible

CLASSES = ["cat", "dog", "*fox*"]


def drawn(monkeypatch, folder, shares, skill):
    """Invent results of a model on 200 test images, whose classes have these shares."""
    choose = np.random.default_rng(3)
    original = plausible._split

    def skewed(split, labels, random):
        original(split, choose.choice(len(shares), size=len(labels), p=shares), random)

    with monkeypatch.context() as patched:
        patched.setattr(plausible, "_split", skewed)
        plausible.write(folder, classes=CLASSES, images=200, skills={"model_0": skill}, seeds=[0, 1])
    monkeypatch.chdir(folder)
    return results.load(["model_0"], [0, 1])


@pytest.mark.parametrize(("skill", "verdict"), [(6, "Better than that: model_0."), (0, "No model is better")])
def test_a_model_is_compared_with_the_most_frequent_class(monkeypatch, tmp_path, skill, verdict):
    found = drawn(monkeypatch, tmp_path, [0.1, 0.05, 0.85], skill)
    said = imbalance_words.headline(found)
    (model,) = found.models
    expected = np.mean([balanced_accuracy_score(found.actual, run.predicted) for run in model.trainings])
    assert f"Balanced accuracy: model_0 {100 * expected:.2f} %." in said
    share = 100 * (found.actual == 2).mean()
    assert (
        f"Always the most frequent class, *fox*: accuracy {share:.2f} %, balanced accuracy 33.33 %." in said
    )
    assert verdict in said
    assert f"Always the most frequent class, \\*fox\\*: accuracy {share:.2f} %" in render.markdown(
        found, params.load()
    )


def test_balanced_classes_need_no_word(monkeypatch, tmp_path):
    assert imbalance_words.headline(drawn(monkeypatch, tmp_path, [0.4, 0.35, 0.25], 2)) == ""
