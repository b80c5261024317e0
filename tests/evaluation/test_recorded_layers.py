"""Weights that fit by shape, trained with other layers, are refused in one line with exit code 1."""

import pytest

from cifar10 import params
from cifar10.errors import StaleError
from cifar10.evaluation import trained_models
from cifar10.training import models

LAYERS = [
    {"Conv2D": {"filters": 2, "kernel_size": 3, "activation": "relu"}},
    {"BatchNormalization": {}},
    {"MaxPooling2D": {"pool_size": 2}},
    {"Dropout": {"rate": 0.5}},
    {"Flatten": {}},
    {"Dense": {"units": "num_classes", "activation": "softmax", "kernel_regularizer": "l2"}},
]


def built(layers, name="model_0"):
    return models.build(name, params.Model(optimizer={"Adam": {}}, layers=layers), 10)


@pytest.fixture
def trained(tmp_path):
    path = tmp_path / "seed_0.h5"
    models.save(built(LAYERS), path, {})
    return path


def changed(index, layer):
    return [*LAYERS[:index], layer, *LAYERS[index + 1 :]]


def test_the_same_layers_are_taken(trained):
    trained_models.load_weights(built(LAYERS), trained)
    trained_models.load_weights(built(LAYERS, "renamed"), trained)
    spelt = changed(2, {"MaxPooling2D": {"pool_size": [2, 2], "strides": 2, "padding": "valid"}})
    trained_models.load_weights(built(spelt), trained)


def test_images_of_another_size_are_named(trained):
    model = models.build("a", params.Model(optimizer={"Adam": {}}, layers=LAYERS), 10, (34, 20, 3))
    with pytest.raises(StaleError, match="images of 34x20 pixels, the file has 32x32 pixels"):
        trained_models.load_weights(model, trained)


@pytest.mark.parametrize(
    ("index", "layer", "words"),
    [
        (
            0,
            {"Conv2D": {"filters": 2, "kernel_size": 3, "activation": "tanh"}},
            "layers.0.Conv2D.activation: tanh, the file has relu",
        ),
        (1, {"BatchNormalization": {"epsilon": 0.1}}, "layers.1.BatchNormalization.epsilon: 0.1, the file"),
        (2, {"AveragePooling2D": {"pool_size": 2}}, "layers.2.AveragePooling2D: the file has MaxPooling2D"),
        (3, {"Dropout": {"rate": 0.1}}, "layers.3.Dropout.rate: 0.1, the file has 0.5"),
        (4, {"Activation": {"activation": "relu"}}, "layers.4.Activation: the file has Flatten"),
        (
            5,
            {"Dense": {"units": 10, "activation": "sigmoid"}},
            "layers.5.Dense.activation: sigmoid, the file",
        ),
    ],
)
def test_other_layers_are_named(trained, index, layer, words):
    layers = changed(index, layer)
    if index == 4:
        layers.insert(5, LAYERS[4])
    with pytest.raises(StaleError) as error:
        trained_models.load_weights(built(layers), trained)
    assert words in str(error.value)
    assert "run `dvc repro`" in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.code == 1
