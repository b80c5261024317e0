"""The networks are those of the table, and the .h5 files hold them."""

import hashlib
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from cifar10 import params
from cifar10.errors import UserError
from cifar10.evaluation import trained_models
from cifar10.training import models

MODELS = params.load().models
COMPUTED_WITH = {"system": "Linux x86_64", "instructions": "AVX2", "oneDNN": True, "versions": {"keras": "3"}}


def convolution(filters, channels):
    return (3 * 3 * channels + 1) * filters


def dense(units, inputs):
    return (inputs + 1) * units


SMALL = [
    0,
    convolution(16, 3),
    0,
    convolution(32, 16),
    0,
    convolution(64, 32),
    0,
    0,
    dense(256, 256),
    dense(10, 256),
]
WIDE = [0, convolution(8, 3), 0, convolution(16, 8), 0, convolution(32, 16), 0, 0]
WIDE += [dense(3000, 128), dense(1000, 3000), dense(10, 1000)]


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "by_layer", "total"),
    [("model_0", SMALL, 91_946), ("model_1", WIDE, 3_404_042), ("model_2", WIDE, 3_404_042)],
)
def test_parameters_layer_by_layer(name, by_layer, total):
    model = models.build(name, MODELS[name], 10)
    assert [layer["parameters"] for layer in trained_models.architecture(model)] == by_layer
    assert model.count_params() == sum(by_layer) == total


def test_every_layer_of_model_0_on_256x256_by_hand():
    layers = trained_models.architecture(models.build("model_0", MODELS["model_0"], 10, (256, 256, 3)))
    sides = {3: [256], 16: [254, 127], 32: [125, 62], 64: [60, 30]}
    places = [[side, side, channels] for channels, each in sides.items() for side in each]
    assert [layer["output"] for layer in layers] == [*places, [57_600], [256], [10]]
    counts = [0, 448, 0, 4_640, 0, 18_496, 0, 0, 57_600 * 256 + 256, 2_570]
    assert [layer["parameters"] for layer in layers] == counts


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("model_0", (16, 16, 3), "layers.4.Conv2D: its window of 3x3 is larger than its input of 2x2"),
        ("model_1", (21, 40, 3), "layers.5.MaxPooling2D: its window of 2x2 is larger than its input of 1x6"),
    ],
)
def test_images_that_are_too_small_for_a_network_are_named_in_one_line(name, shape, words):
    with pytest.raises(UserError, match=f"models.{name}.{words}.*data.image_size") as error:
        models.build(name, MODELS[name], 10, shape)
    assert "\n" not in str(error.value)


def test_an_image_of_any_shape_is_predicted_the_same_at_every_position(images):
    model = models.build("model_3", MODELS["model_3"], 10, (24, 40, 3))
    some = np.random.default_rng(3).integers(0, 256, (70, 24, 40, 3), np.uint8)
    predict = models.predictor(model)
    np.testing.assert_array_equal(predict(some)[0][[3, 69]], predict(some[[3, 69]])[0])


def test_optimizers_are_those_of_the_table():
    kinds = {f"model_{index}": models.optimizer("a model", MODELS[f"model_{index}"]) for index in range(3)}
    assert isinstance(kinds["model_0"], keras.optimizers.Adam)
    assert isinstance(kinds["model_1"], keras.optimizers.Adam)
    assert isinstance(kinds["model_2"], keras.optimizers.SGD)
    assert float(kinds["model_2"].learning_rate) == pytest.approx(0.01)


def test_the_number_of_classes_comes_from_the_data():
    assert models.build("model_0", MODELS["model_0"], 3).output_shape == (None, 3)


def test_the_model_scales_the_pixels_itself(images):
    model = models.build("model_0", MODELS["model_0"], 10)
    scaled = images.astype(np.float32) / 255
    expected = keras.Sequential([keras.Input((32, 32, 3)), *model.layers[1:]])(scaled)
    np.testing.assert_allclose(models.predictor(model)(images)[0], expected, rtol=1e-5)


def test_the_same_weights_are_the_same_bytes(tmp_path):
    digests = []
    for name in ("first.h5", "second.h5"):
        keras.utils.set_random_seed(3)
        models.save(models.build("model_0", MODELS["model_0"], 10), tmp_path / name, COMPUTED_WITH)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def change(layers=None, optimizer=None):
    entry = MODELS["model_0"]
    changes = {"layers": layers, "optimizer": optimizer}
    return entry.model_copy(update={key: value for key, value in changes.items() if value})


LAYERS = MODELS["model_0"].layers


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (change([{"Conv2d": {}}]), ["layers.0.Conv2d", "Conv2D"]),
        (change([{"Conv2D": {"filter": 3}}]), ["layers.0.Conv2D", "'filter'", "filters, kernel_size"]),
        (change([{"Conv2D": {"filters": -3, "kernel_size": 3}}]), ["layers.0.Conv2D", "-3", "positive"]),
        (change([{"Conv2D": {"filters": 3}}]), ["layers.0.Conv2D", "kernel_size"]),
        (
            change([{"Conv2D": {"filters": 3, "kernel_size": 33}}]),
            ["layers.0.Conv2D: its window of 33x33 is larger than its input of 32x32", "data.image_size"],
        ),
        (change([{"Lambda": {"function": "print"}}]), ["layers.0.Lambda", "it runs code"]),
        (change(LAYERS[:-1]), ["layers", "(256,)", "(10,)", "num_classes"]),
        (change([*LAYERS[:-1], {"Dense": {"units": 10}}]), ["layers", "linear", "softmax or sigmoid"]),
        (change(optimizer={"adam": {}}), ["optimizer.adam", "Adam"]),
        (change(optimizer={"Adam": {"lr": 1}}), ["optimizer.Adam", "'lr'", "learning_rate"]),
        (
            change(optimizer={"SGD": {"learning_rate": "1e-3"}}),
            ["optimizer.SGD.learning_rate", "'1e-3'", "0.001"],
        ),
    ],
)
def test_a_fault_in_a_model_names_the_key_what_it_got_and_what_is_allowed(entry, words):
    with pytest.raises(UserError) as caught:
        (models.build("model_0", entry, 10), models.optimizer("model_0", entry))
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in ["params.yaml: models.model_0", *words] if word not in message] == []


AT_THE_IMPORT_OF_KERAS = """
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("keras", "tensorflow"):
            print(os.environ["KERAS_BACKEND"], flush=True)
            os._exit(0)
sys.meta_path.insert(0, Finder())
"""


def backend(code):
    """Return what a program prints that starts with another backend in its environment."""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("first", ["dense", "loop", "models"])
def test_the_backend_is_set_before_keras_is_imported_whatever_module_comes_first(first):
    assert backend(f"{AT_THE_IMPORT_OF_KERAS}from cifar10.training import {first}") == "tensorflow"
