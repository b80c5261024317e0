"""The networks are those of the table, and the .h5 files hold them."""

import hashlib

import keras
import numpy as np
import pytest

from cifar10 import models, params
from cifar10.errors import UserError

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
    assert [layer["parameters"] for layer in models.architecture(model)] == by_layer
    assert model.count_params() == sum(by_layer) == total


def test_output_shapes_of_model_0():
    shapes = [
        layer["output"] for layer in models.architecture(models.build("model_0", MODELS["model_0"], 10))
    ]
    sides = [[32, 32, 3], [30, 30, 16], [15, 15, 16], [13, 13, 32], [6, 6, 32], [4, 4, 64], [2, 2, 64]]
    assert shapes == [*sides, [256], [256], [10]]


def test_optimizers_are_those_of_the_table():
    kinds = {name: models.optimizer(name, entry) for name, entry in MODELS.items()}
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


def test_weights_survive_the_file_and_keras_opens_it_alone(tmp_path, images):
    path = tmp_path / "model_0.h5"
    model = models.build("model_0", MODELS["model_0"], 10)
    models.save(model, path, COMPUTED_WITH)
    again = models.build("model_0", MODELS["model_0"], 10)
    models.load_weights(again, path)
    np.testing.assert_array_equal(models.predictor(again)(images), models.predictor(model)(images))
    alone = keras.models.load_model(path, compile=False)
    np.testing.assert_array_equal(models.predictor(alone)(images), models.predictor(model)(images))
    assert [p.name for p in tmp_path.iterdir()] == ["model_0.h5"]


def test_the_same_weights_are_the_same_bytes(tmp_path):
    digests = []
    for name in ("first.h5", "second.h5"):
        keras.utils.set_random_seed(3)
        models.save(models.build("model_0", MODELS["model_0"], 10), tmp_path / name, COMPUTED_WITH)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def test_the_file_says_what_its_weights_were_computed_with(tmp_path):
    path = tmp_path / "model_0.h5"
    model = models.build("model_0", MODELS["model_0"], 10)
    models.save(model, path, COMPUTED_WITH | {"oneDNN": False})
    found = models.facts(model, path)
    assert found["trained_on"] == "Linux x86_64, AVX2, without oneDNN"
    assert found["parameters"] == 91_946
    assert found["bytes"] == path.stat().st_size
    model.save(path)  # as Keras writes it
    assert models.facts(model, path)["trained_on"] == "unknown"


@pytest.mark.parametrize("damage", ["missing", "other architecture", "truncated", "text"])
def test_weights_that_do_not_fit_are_refused_in_one_line(tmp_path, damage):
    path = tmp_path / "model_0.h5"
    if damage != "missing":
        source = "model_1" if damage == "other architecture" else "model_0"
        models.save(models.build(source, MODELS[source], 10), path, COMPUTED_WITH)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:20_000])
    if damage == "text":
        path.write_text("not found")
    with pytest.raises(UserError, match="dvc repro") as caught:
        models.load_weights(models.build("model_0", MODELS["model_0"], 10), path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


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
        (change([{"Conv2D": {"filters": 3, "kernel_size": 33}}]), ["layers.0.Conv2D", "does not fit"]),
        (change([{"Lambda": {"function": "print"}}]), ["layers.0.Lambda", "no 'Lambda'"]),
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
