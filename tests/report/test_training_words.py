"""The words about trainings follow params.yaml and the histories."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from cifar10 import params
from cifar10.report import training_words
from cifar10.train_options import ModelTrain

PARAMS = params.load()


def model(name: str, *lengths: int) -> Any:
    trainings = [SimpleNamespace(history=pd.DataFrame({"epoch": range(length)})) for length in lengths]
    return SimpleNamespace(name=name, trainings=trainings)


def chosen(**train: Any) -> params.Params:
    entry = PARAMS.models["model_0"].model_copy(update={"train": ModelTrain(**train)})
    return PARAMS.model_copy(update={"models": {**PARAMS.models, "model_0": entry}})


def test_a_schedule_is_written_with_its_arguments() -> None:
    rate = {"OneCycle": {"peak": 0.2, "end": 0}}
    written = training_words.optimizer({"SGD": {"learning_rate": rate, "momentum": 0.9}})
    assert written == "SGD (learning_rate OneCycle (peak 0.2, end 0), momentum 0.9)"


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ({}, "cross-entropy"),
        ({"label_smoothing": 0.1}, "cross-entropy, label smoothing 0.1"),
        ({"class_weight": "balanced"}, "cross-entropy, balanced class weights"),
        ({"class_weight": {"cat": 2}}, "cross-entropy, class weights cat 2"),
    ],
)
def test_the_loss_is_described(train: dict[str, Any], words: str) -> None:
    assert training_words.loss(chosen(**train).train_of("model_0")) == words


def test_the_epochs_are_those_that_were_trained() -> None:
    assert training_words.epochs(model("model_0", 3, 3)) == "3"
    assert training_words.epochs(model("model_0", 5, 3, 4)) == "3 to 5"


def test_the_epoch_of_the_training_metrics_is_named() -> None:
    both = [model("model_0", 3, 3), model("model_1", 3, 3)]
    assert training_words.shown_epoch(both, chosen()) == "epoch 3, the last one"
    assert training_words.shown_epoch(both, chosen(keep="best")) == "the epoch whose weights are kept"
    other = [both[0], model("model_1", 3, 2)]
    assert training_words.shown_epoch(other, chosen()) == "the last epoch of each training"
