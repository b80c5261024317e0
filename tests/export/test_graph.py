"""The exported graph gives what the pipeline computes with NumPy, in every format."""

import numpy as np
import pytest

from cifar10.errors import UserError
from cifar10.evaluation import features, temperature
from cifar10.evaluation.ensemble import mean_probabilities
from cifar10.export import graph, runtimes, writers
from cifar10.params import Model
from cifar10.training import models

BLOCKS = np.random.default_rng(0).integers(0, 256, (70, 4, 3, 3), np.uint8)
IMAGES = BLOCKS.repeat(8, axis=1).repeat(8, axis=2)  # more than a batch; they differ more than noise


def entry(*layers, activation="softmax"):
    last = {"Dense": {"units": "num_classes", "activation": activation}}
    return Model.model_validate({"optimizer": {"SGD": {}}, "layers": [*layers, {"Flatten": {}}, last]})


SMALL = entry(
    {"Normalization": {"mean": [0.5, 0.4, 0.3], "variance": [0.1, 0.2, 0.3]}},
    {"Conv2D": {"filters": 4, "kernel_size": 3, "strides": 4, "activation": "gelu"}},
    {"Residual": {"layers": [{"Conv2D": {"filters": 4, "kernel_size": 3, "padding": "same"}}]}},
    {"BatchNormalization": {}},
)


def built(which, count=1):
    """Build networks with different weights, and outputs that are not nearly equal."""
    found = []
    for seed in range(count):
        models.keras.utils.set_random_seed(seed)
        model = models.build("small", which, 3, IMAGES.shape[1:])
        kernel, bias = model.layers[-1].get_weights()
        model.layers[-1].set_weights([kernel * 3, bias])
        found.append(model)
    return found


def expected(networks, mirror, scale):
    each = [features.feature_extractor(network, mirror)(IMAGES).probabilities for network in networks]
    return temperature.scaled(mean_probabilities(each), scale)


@pytest.mark.parametrize(  # every two of the three options in all combinations
    ("activation", "mirror", "scale"),
    [("softmax", False, 1.0), ("softmax", True, 0.4), ("sigmoid", True, 1.0), ("sigmoid", False, 0.4)],
)
def test_trainings_mirror_images_and_temperature_are_in_the_graph(activation, mirror, scale):
    which = entry({"MaxPooling2D": {"pool_size": 4}}, activation=activation)
    networks = built(which, 2)
    found = np.asarray(graph.build("small", networks, mirror, scale)(IMAGES))
    assert np.ptp(found, axis=0).min() > 0.1
    np.testing.assert_allclose(found, expected(networks, mirror, scale), atol=2e-6)


@pytest.mark.parametrize("bias", [-60.0, -200.0])
def test_sigmoid_scores_near_zero_are_divided_and_scores_of_zero_become_equal(bias):
    (network,) = built(entry({"MaxPooling2D": {"pool_size": 4}}, activation="sigmoid"))
    network.layers[-1].bias.assign([bias, bias + 1, bias])
    found = np.asarray(graph.build("small", [network], False, 1.0)(IMAGES))
    np.testing.assert_allclose(found, expected([network], False, 1.0), atol=1e-5)
    assert (found == np.float32(1 / 3)).all() == (bias == -200)


@pytest.fixture(scope="module")
def small():
    """The graph of two trainings, and its probabilities."""
    networks = built(SMALL, 2)
    return graph.build("small", networks, True, 0.7), expected(networks, True, 0.7)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("keras", "m.keras"), ("savedmodel", "m"), ("litert", "m.tflite"), ("onnx", "m.onnx")],
)
def test_every_format_gives_the_same_probabilities(small, kind, name, tmp_path):
    writers.write(small[0], kind, tmp_path / name)
    found = runtimes.load(kind, tmp_path / name)(IMAGES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, small[1], atol=5e-6)


def test_the_keras_file_names_nothing_of_this_project(small):
    assert "cifar10" not in small[0].to_json()


@pytest.mark.parametrize(("kind", "name"), [("litert", "m.tflite"), ("onnx", "m.onnx")])
def test_int8_takes_a_fourth_and_stays_near(kind, name, tmp_path):
    networks = built(entry({"Conv2D": {"filters": 96, "kernel_size": 3, "strides": 2}}))
    writers.write(graph.build("small", networks, False, 1.0), kind, tmp_path / name, IMAGES)
    assert 0.2 < (tmp_path / name).stat().st_size / (4 * networks[0].count_params()) < 0.35
    found = runtimes.load(kind, tmp_path / name)(IMAGES)
    difference = np.abs(found - expected(networks, False, 1.0)).max()
    assert 1e-4 < difference < 0.1


@pytest.mark.parametrize(
    ("kind", "layer", "operation"),
    [
        ("litert", {"LSTM": {"units": 4, "name": "memory"}}, "TensorListReserve"),
        ("onnx", {"Resizing": {"height": 8, "width": 8, "interpolation": "lanczos3"}}, "ScaleAndTranslate"),
    ],
)
def test_a_layer_that_a_format_cannot_express_is_named(kind, layer, operation, tmp_path):
    before = [{"Reshape": {"target_shape": [32, 72]}}] if "LSTM" in layer else []
    model = graph.build("small", built(entry(*before, layer)), False, 1.0)
    with pytest.raises(UserError, match=f"^small: the format {kind} cannot express") as caught:
        writers.write(model, kind, tmp_path / ("m.tflite" if kind == "litert" else "m.onnx"))
    assert operation in str(caught.value)
    assert f"(layer {'memory' if 'LSTM' in layer else 'resizing'})" in str(caught.value)
    assert "\n" not in str(caught.value)
