"""The kept epoch, early stopping and averaged weights, alone, as Keras has them, and after a kill."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from cifar10 import params
from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.params import Model
from cifar10.train_options import EarlyStopping, ModelTrain
from cifar10.training import models, prepared, selection, subset
from cifar10.training.checkpoint import Checkpoint

RANDOM = np.random.default_rng(8)
DATA = Split(RANDOM.integers(0, 256, (40, 32, 32, 3), np.uint8), RANDOM.integers(0, 3, 40))
VALIDATION = Split(RANDOM.integers(0, 256, (30, 32, 32, 3), np.uint8), RANDOM.integers(0, 3, 30))
CLASSES = ["a", "b", "c"]
LAYERS = [
    {"Conv2D": {"filters": 4, "kernel_size": 8, "strides": 8, "use_bias": False}},
    {"BatchNormalization": {"momentum": 0.9}},
    {"ReLU": {}},
    {"Flatten": {}},
    {"Dropout": {"rate": 0.2}},
    {"Dense": {"units": "num_classes", "activation": "softmax"}},
]
PARAMS = params.load()
CYCLE = {"OneCycle": {"peak": 0.3}}


def settings(optimizer=None, **train):
    model = Model(optimizer=optimizer or {"SGD": {"learning_rate": CYCLE}}, layers=LAYERS)
    own = ModelTrain(**{"epochs": 3, "batch_size": 8} | train)
    return PARAMS.model_copy(update={"models": {"m": model.model_copy(update={"train": own})}})


def start(chosen, seed=0):
    keras.utils.set_random_seed(seed)
    return prepared.prepare("m", chosen, DATA.labels, CLASSES)


def trained(chosen, made, history=()):
    return made.train(DATA, VALIDATION, chosen.train_of("m"), 0, [*history], lambda *_: None)


def rows(*values, column="val_loss"):
    return [{column: value} for value in values]


@pytest.mark.parametrize("column", ["val_loss", "val_accuracy"])
@pytest.mark.parametrize("options", [{}, {"min_delta": 0.15}, {"start_from_epoch": 2}])
@pytest.mark.parametrize("patience", [0, 1, 3])
def test_early_stopping_is_that_of_keras(column, options, patience):
    for trial in range(20):
        values = np.random.default_rng(trial).integers(0, 8, 9) / 8
        callback = keras.callbacks.EarlyStopping(column, patience=patience, mode="auto", **options)
        callback.set_model(SimpleNamespace(stop_training=False, metrics=[], optimizer=None))
        callback.monitor_op = np.greater if column == "val_accuracy" else np.less
        callback.min_delta = abs(callback.min_delta) * (1 if column == "val_accuracy" else -1)
        callback.on_train_begin()
        setting = EarlyStopping(monitor=column, patience=patience, **options)
        for epoch, value in enumerate(values):
            callback.on_epoch_end(epoch, {column: value})
            stopped = selection.is_stopped(rows(*values[: epoch + 1], column=column), setting)
            assert stopped == callback.model.stop_training
            if stopped:
                break


def test_the_first_of_equally_good_epochs_is_kept():
    assert selection.best_epoch(rows(0.5, 0.3, 0.4, 0.3), "val_loss") == 1
    assert selection.best_epoch(rows(0.5, 0.7, 0.7, column="val_accuracy"), "val_accuracy") == 1
    assert selection.best_epoch(rows(0.5, 0.3, 0.4), "last") == 2
    marks = [row["kept"] for row in selection.marked(rows(0.5, 0.3, 0.4), "val_loss")]
    assert marks == [0, 1, 0]
    assert selection.marked(rows(0.5, 0.3), "last") == rows(0.5, 0.3)


EMA = {"SGD": {"learning_rate": 0.3, "use_ema": True, "ema_momentum": 0.9}}
OPTIONS = {
    "best average": {"optimizer": EMA, "keep": {"best": "val_loss"}},
    "stopped": {"keep": "best", "early_stopping": EarlyStopping(patience=1), "epochs": 9},
    "average and weights": {"optimizer": EMA, "class_weight": "balanced", "label_smoothing": 0.1},
}


def check_kept(history, keep, model):
    """Check that the validation figures of the kept epoch are those of the weights."""
    (scores,) = models.predictor(model)(VALIDATION.images)
    kept = history[selection.best_epoch(history, keep)]
    assert kept["val_accuracy"] == pytest.approx((scores.argmax(axis=1) == VALIDATION.labels).mean())
    assert kept["val_loss"] == pytest.approx(
        -np.log(scores[np.arange(30), VALIDATION.labels]).mean(), rel=1e-5
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_a_training_that_is_killed_after_any_epoch_ends_in_the_same_weights(name, tmp_path):
    chosen, saved = settings(**OPTIONS[name]), Checkpoint(tmp_path / "state.npz", "key", {})
    whole, history, files = start(chosen), [], []
    for epoch in trained(chosen, whole):
        history.append(epoch.row())
        saved.save(history, whole.state)
        files.append(saved.path.read_bytes())
    assert (len(history) < 9) if name == "stopped" else (len(history) == 3)
    check_kept(history, chosen.train_of("m").keep, whole.model)
    for content in files if name == "best average" else (files[0], files[-1]):
        saved.path.write_bytes(content)
        made = start(chosen, seed=99)  # a process that knows nothing of the first
        before = saved.load(made.state)
        after = [*before, *(epoch.row() for epoch in trained(chosen, made, before))]
        assert after == history
        for ours, theirs in zip(made.model.get_weights(), whole.model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_averaged_weights_are_in_the_model_and_training_goes_on_with_the_last_ones():
    chosen, plain = settings(EMA), settings({"SGD": {"learning_rate": 0.3}})
    averaged, last = start(chosen), start(plain)
    figures = [[epoch.loss for epoch in trained(*each)] for each in ((chosen, averaged), (plain, last))]
    assert figures[0] == figures[1]
    ours, theirs = averaged.model.trainable_variables, averaged.optimizer._model_variables_moving_average
    for variable, average in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(variable.numpy(), average.numpy())
    assert np.abs(ours[0].numpy() - last.model.trainable_variables[0].numpy()).max() > 1e-4


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder with the images, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    dataset.save("train", DATA.images, DATA.labels)
    dataset.save("validation", VALIDATION.images, VALIDATION.labels)


def test_a_rehearsal_takes_the_same_part_of_the_images(data):
    chosen = settings(images=10).train_of("m")
    part, validation = subset.load("m", chosen)
    assert part.images.shape == (10, 32, 32, 3)
    np.testing.assert_array_equal(validation.images, VALIDATION.images)
    np.testing.assert_array_equal(part.images, subset.load("m", chosen)[0].images)
    places = [np.flatnonzero((DATA.images == image).all(axis=(1, 2, 3)))[0] for image in part.images]
    np.testing.assert_array_equal(DATA.labels[places], part.labels)
    assert places == sorted(places) != [*range(10)]


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ({"images": 41}, ["images: got 41", "at most 40"]),
        ({"keep": "best"}, ["keep", "needs validation images", "data.validation_fraction"]),
        ({"early_stopping": EarlyStopping(patience=1)}, ["early_stopping", "needs validation images"]),
    ],
)
def test_settings_that_do_not_fit_the_images_are_one_line(data, train, words):
    dataset.save("validation", VALIDATION.images[:0], VALIDATION.labels[:0])
    with pytest.raises(UserError) as caught:
        subset.load("m", settings(**train).train_of("m"))
    assert [word for word in ["models.m.train", *words] if word not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


def test_balanced_weights_are_those_of_scikit_learn_and_unknown_classes_are_named():
    made = start(settings(class_weight="balanced"))
    expected = 40 / (3 * np.bincount(DATA.labels))
    np.testing.assert_allclose(made.class_weights, expected, rtol=1e-6)
    np.testing.assert_array_equal(start(settings(class_weight={"b": 2})).class_weights, [1, 2, 1])
    with pytest.raises(
        UserError, match=r"models\.m\.train\.class_weight: got the class 'd', expected .* a, b, c"
    ):
        start(settings(class_weight={"d": 2}))
