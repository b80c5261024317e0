"""Residual and Repeat: the graph of Keras' own layers that they stand for, in training, files and tables."""

import functools

import keras
import numpy as np
import pytest

from cifar10 import params
from cifar10.errors import StaleError, UserError
from cifar10.evaluation import features, trained_models
from cifar10.training import blocks, dense, models

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
POOL = {"AveragePooling2D": {"pool_size": 8}}
OUTPUT = ["Flatten", {"Dense": {"units": "num_classes", "activation": "softmax"}}]


def conv(filters, **more):
    return {"Conv2D": {"filters": filters, "kernel_size": 3, "padding": "same", **more}}


PROJECTED = {
    "Residual": {
        "layers": [conv(4, strides=2), "BatchNormalization"],
        "shortcut": [{"Conv2D": {"filters": 4, "kernel_size": 1, "strides": 2}}],
    }
}
IDENTITY = {"Residual": {"layers": [conv(4, activation="relu"), conv(4)]}}
LAYERS = [POOL, conv(4), {"Repeat": {"times": 2, "layers": [IDENTITY, "ReLU"]}}, PROJECTED, *OUTPUT]


def build(layers, name="m"):
    return models.build(name, params.Model(optimizer={"SGD": {}}, layers=layers), 3)


def by_hand():
    """The network of LAYERS, written with Keras, and its layers with weights in the order of LAYERS."""
    conv2d, made = functools.partial(keras.layers.Conv2D, padding="same"), []

    def keep(layer):
        made.append(layer)
        return layer

    inputs = keras.Input((32, 32, 3))
    x = keep(conv2d(4, 3))(keras.layers.AveragePooling2D(8)(inputs / 255))
    for _ in range(2):
        inner = keep(conv2d(4, 3, activation="relu"))(x)
        x = keras.ops.relu(x + keep(conv2d(4, 3))(inner))
    main = keep(conv2d(4, 3, strides=2))(x)
    main = keep(keras.layers.BatchNormalization())(main)
    x = keras.layers.Flatten()(main + keep(keras.layers.Conv2D(4, 1, strides=2))(x))
    return keras.Model(inputs, keep(keras.layers.Dense(3, "softmax"))(x)), made


def test_blocks_are_the_network_written_by_hand():
    ours, (theirs, made) = build(LAYERS), by_hand()
    weighted = [layer for layer in blocks.in_order(ours) if layer.weights]
    for layer, same in zip(weighted, made, strict=True):
        same.set_weights(layer.get_weights())
    expected = theirs.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(models.predictor(ours)(IMAGES)[0], expected, rtol=1e-5)


def test_the_file_holds_the_blocks_for_us_and_for_keras_alone(tmp_path):
    ours, again = build(LAYERS), build(LAYERS)
    models.save(ours, tmp_path / "m.h5", {})
    alone = keras.models.load_model(tmp_path / "m.h5", compile=False)
    trained_models.load_weights(again, tmp_path / "m.h5")
    (expected,) = models.predictor(ours)(IMAGES)
    np.testing.assert_array_equal(models.predictor(again)(IMAGES)[0], expected)
    # Keras itself normalises with another rounding
    np.testing.assert_allclose(models.predictor(alone)(IMAGES)[0], expected, rtol=1e-6)
    models.save(again, tmp_path / "again.h5", {})
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "m.h5").read_bytes()


def test_layers_are_listed_with_their_blocks_in_the_order_of_params():
    listed = [(*row.get("blocks", []), row["layer"]) for row in trained_models.architecture(build(LAYERS))]
    inside = [("Residual", "Conv2D"), ("Residual", "Conv2D"), ("Residual", "Add"), ("ReLU",)]
    assert listed == [
        *[("Rescaling",), ("AveragePooling2D",), ("Conv2D",)],
        *[(f"Repeat {index}", *rest) for index in (1, 2) for rest in inside],
        *[("Residual", "Conv2D"), ("Residual", "BatchNormalization")],
        *[("Residual", "shortcut", "Conv2D"), ("Residual", "Add"), ("Flatten",), ("Dense",)],
    ]


def test_the_detector_takes_the_input_of_the_last_dense_layer():
    model = build(LAYERS)
    found = features.feature_extractor(model)(IMAGES)
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(found.features @ kernel + bias, found.logits, rtol=1e-4, atol=1e-5)


def test_dense_layers_in_blocks_are_accelerated():
    inner = {"Residual": {"layers": [{"Dense": {"units": 12}}]}}
    model = build([{"AveragePooling2D": {"pool_size": 16}}, "Flatten", inner, OUTPUT[1]])
    dense.accelerate(model)
    calls = [layer.call for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert [getattr(call, "func", None) for call in calls] == [dense._call] * 2


SHORT = {"Residual": {"layers": [conv(4)]}}
ELSEWHERE = {"Repeat": {"times": 2, "layers": [conv(4, activation="relu"), SHORT, "ReLU"]}}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            [{"Residual": {**PROJECTED["Residual"], "layers": [conv(4, strides=2), "ReLU"]}}],
            "layers.3.Residual.layers.1.ReLU: the file has BatchNormalization",
        ),
        (
            [ELSEWHERE, PROJECTED],
            "layers.2.Repeat.0.layers.1.Residual.sum: the file connects it to other layers",
        ),
    ],
)
def test_other_blocks_are_named(tmp_path, changed, words):
    models.save(build(LAYERS), tmp_path / "m.h5", {})
    layers = [*LAYERS[: 4 - len(changed)], *changed, *OUTPUT]
    with pytest.raises(StaleError, match="run `dvc repro`") as caught:
        trained_models.load_weights(build(layers), tmp_path / "m.h5")
    assert words in str(caught.value)


def test_the_same_graph_without_repeat_takes_the_file(tmp_path):
    models.save(build(LAYERS), tmp_path / "m.h5", {})
    written_out = [POOL, conv(4), IDENTITY, "ReLU", IDENTITY, "ReLU", PROJECTED, *OUTPUT]
    trained_models.load_weights(build(written_out), tmp_path / "m.h5")
    chain = [POOL, conv(4), "ReLU", conv(4), "ReLU", *OUTPUT]
    models.save(build(chain), tmp_path / "chain.h5", {})
    repeated = [POOL, {"Repeat": {"times": 2, "layers": [conv(4), "ReLU"]}}, *OUTPUT]
    trained_models.load_weights(build(repeated), tmp_path / "chain.h5")


def nested(depth):
    return {"Repeat": {"times": 1, "layers": [nested(depth - 1)]}} if depth else "ReLU"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"Residual": {"layers": [conv(5)]}}, ["0.Residual: cannot add", "(32, 32, 5)", "(32, 32, 3)"]),
        (
            {"Residual": {"layers": [conv(5)], "shortcut": [conv(5, strides=2)]}},
            ["0.Residual: cannot add", "(32, 32, 5)", "shortcut gives (16, 16, 5)"],
        ),
        ({"Residual": {}}, ["0.Residual.layers: got None, expected a list"]),
        ({"Residual": {"layers": []}}, ["0.Residual.layers: got [], expected a list"]),
        ({"Residual": {"layers": ["ReLU"], "shortcut": []}}, ["0.Residual.shortcut: got []"]),
        ({"Residual": {"layers": ["ReLU"], "skip": []}}, ["unknown argument 'skip'", "layers, shortcut"]),
        ({"Residual": {"layers": [3]}}, ["0.Residual.layers.0: got 3", "one Keras class"]),
        ({"Residual": {"layers": [{"ReLU": 3}]}}, ["0.Residual.layers.0: got", "expected a class"]),
        ({"Residual": {"layers": [{"Relu": {}}]}}, ["0.Residual.layers.0.Relu: Keras has no 'Relu'", "ReLU"]),
        (
            {"Residual": {"layers": [{"Conv2D": {"filters": 1, "kernel_size": 40}}]}},
            ["0.Residual.layers.0.Conv2D: its window of 40x40", "input of 32x32"],
        ),
        ({"Residual": {"layers": [{"ReLU": {"name": "a"}}]}}, ["0.ReLU.name: not available with blocks"]),
        ({"Repeat": {"layers": ["ReLU"]}}, ["0.Repeat.times: got None, expected a whole number"]),
        ({"Repeat": {"times": True, "layers": ["ReLU"]}}, ["0.Repeat.times: got True"]),
        ({"Repeat": {"times": 0, "layers": ["ReLU"]}}, ["0.Repeat.times: got 0"]),
        ({"Repeat": {"times": 3}}, ["0.Repeat.layers: got None"]),
        (nested(blocks.DEEPEST + 1), ["Repeat.layers: expected at most 10 blocks"]),
        (
            {"Residual": {"layers": ["BatchNormalization", {"RandomBrightness": {"factor": 0.1}}]}},
            ["0.Residual.layers.1.RandomBrightness.value_range: missing"],
        ),
    ],
)
def test_a_fault_in_a_block_is_named_in_one_line(block, words):
    with pytest.raises(UserError) as caught:
        build([block, *OUTPUT])
    message = str(caught.value)
    assert message.startswith("params.yaml: models.m.layers.0.")
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_the_number_of_layers_is_bounded(monkeypatch):
    monkeypatch.setattr(blocks, "MOST", 20)  # before the error, the layers are made
    twice = {"Repeat": {"times": 20, "layers": [{"Repeat": {"times": 20, "layers": ["ReLU"]}}]}}
    with pytest.raises(UserError, match="at most 20 layers with all repetitions"):
        build([twice, *OUTPUT])


def test_a_shortcut_sees_the_range_of_the_pixels_before_its_block():
    shortcut = [{"RandomBrightness": {"factor": 0.1}}]
    build([POOL, {"Residual": {"layers": ["BatchNormalization"], "shortcut": shortcut}}, *OUTPUT])
