"""The summary of a model: its layers with their blocks, its settings, and a time that fits its parts."""

import re

import numpy as np
import pytest

from cifar10 import params
from cifar10.data import dataset
from scripts import summary

BLOCK = {"Residual": {"layers": [{"Conv2D": {"filters": 3, "kernel_size": 3, "padding": "same"}}]}}
LAYERS = [BLOCK, {"AveragePooling2D": {"pool_size": 16}}, "Flatten"]
OUTPUT = {"Dense": {"units": "num_classes", "activation": "softmax"}}
ENTRY = params.Model(
    optimizer={"SGD": {"momentum": 0.9}}, layers=[*LAYERS, OUTPUT], augment=params.Augment(shift=2)
)
CHOSEN = params.load().model_copy(update={"models": {"m": ENTRY}})


@pytest.fixture
def printed(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(summary, "TIMED", 0.02)

    def describe():
        summary.describe("m", CHOSEN)
        return capsys.readouterr().out

    return describe


def test_it_shows_layers_settings_and_time_without_any_images(printed):
    text = printed()
    for words in (
        r"No images yet",
        r"Residual > Conv2D +│ 32 x 32 x 3 +│ +84 ",
        r"total +│ +│ +214 ",
        r"optimizer: SGD \(momentum 0\.9\)\nloss: cross-entropy\n",
        r"augmentation: shift 2\n",
        r"epochs: 10\nkept epoch: the last\nbatch size: 32\nseeds: 0, 1, 2\n",
        r"training images: 45,000; validation images: 5,000\n",
        r"time per step: [\d.]+ ms, [\d,]+ images per second\n",
        r"estimated time: .* per epoch, .* per training, .* for 3 seeds one after the other\n",
    ):
        assert re.search(words, text), f"{words} not in {text}"


def test_it_counts_the_images_that_are_there(printed):
    for name, count in (("train", 640), ("validation", 0)):
        dataset.save(name, np.zeros((count, 32, 32, 3), np.uint8), np.zeros(count, np.int64))
    dataset.paths.CLASSES.write_text('["a", "b"]')
    text = printed()
    assert "training images: 640; validation images: 0" in text
    assert re.search(r"total +│ +│ +110 ", text)  # 84 + (12 + 1) * 2


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (59.4, "59.4 s"), (59.9, "1 min 0 s"), (3900, "1 h 5 min")]
)
def test_durations_in_words(seconds, words):
    assert summary.words(seconds) == words
