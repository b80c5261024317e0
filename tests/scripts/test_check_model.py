"""The check before a long run tells models that learn from models that do not."""

import numpy as np
import pytest

from cifar10 import params
from cifar10.params import Model
from cifar10.train_options import ModelTrain
from scripts import check_model

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (32, 32, 32, 3), np.uint8)
LABELS = RANDOM.integers(0, 3, 32)
LAYERS = [
    {"MaxPooling2D": {"pool_size": 4}},
    {"Flatten": {}},
    {"BatchNormalization": {}},
    {"Dense": {"units": 16, "activation": "relu"}},
    {"Dropout": {"rate": 0.1}},
    {"Dense": {"units": "num_classes", "activation": "softmax"}},
]
DEEP = [LAYERS[1], *[LAYERS[3]] * 3, LAYERS[5]]  # its logits overflow in the second step for any weights


def outcome(rate, monkeypatch, capsys, layers=LAYERS, **train):
    entry = Model(optimizer={"SGD": {"learning_rate": rate}}, layers=layers, train=ModelTrain(**train))
    chosen = params.load().model_copy(update={"models": {"m": entry}})
    monkeypatch.setattr(check_model, "STEPS", 150)
    learnt = check_model.tell("m", chosen, IMAGES, LABELS, ["a", "b", "c"])
    return learnt, capsys.readouterr()


@pytest.mark.parametrize("rate", [0.5, {"OneCycle": {"peak": 0.5}}], ids=["constant", "schedule"])
def test_a_model_that_learns(rate, monkeypatch, capsys):
    learnt, printed = outcome(rate, monkeypatch, capsys, label_smoothing=0.1, batch_size=24)
    assert learnt
    assert printed.out.startswith("m: learns one batch (")
    assert printed.err == ""


@pytest.mark.parametrize(
    ("rate", "layers", "words"),
    [
        (1e-6, LAYERS, "error: m: does not learn one batch (150 steps, "),
        (9e18, DEEP, "error: m: the loss is "),
    ],
    ids=["low", "high"],
)
def test_a_model_that_does_not_learn(rate, layers, words, monkeypatch, capsys):
    learnt, printed = outcome(rate, monkeypatch, capsys, layers=layers)
    assert not learnt
    assert printed.err.startswith(words)
    assert "learning_rate" in printed.err
    assert printed.err.count("\n") == 1


def test_without_images_there_are_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images, labels, class_names = check_model.batch()
    assert images.shape == (32, 32, 32, 3)
    assert len(labels) == 32 > len(class_names) == 10
    assert "No images yet" in capsys.readouterr().out
