"""Multiply-adds of layers against counts by hand."""

import keras
import pytest

from cifar10 import params
from cifar10.evaluation import multiply_adds, trained_models
from cifar10.training import models

MODELS = params.load().models
CONVOLUTIONS = [30 * 30 * 27 * 16, 0, 13 * 13 * 144 * 32, 0, 4 * 4 * 288 * 64, 0]
RESIDUAL = [
    *(32 * 32 * 27 * 24, 32 * 32 * 216 * 32, 16 * 16 * 288 * 32),
    *(16 * 16 * 288 * 128, 8 * 8 * 1152 * 128, 8 * 8 * 1152 * 256, 4 * 4 * 2304 * 256, 256 * 10),
]


def counts(name: str) -> list[int]:
    return [
        layer["multiply_adds"] for layer in trained_models.architecture(models.build(name, MODELS[name], 10))
    ]


def test_model_0_by_layer() -> None:
    assert counts("model_0") == [0, *CONVOLUTIONS, 0, 256 * 256, 256 * 10]


def test_a_network_with_blocks() -> None:
    assert [count for count in counts("model_3") if count] == RESIDUAL


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        # of images 12 x 12 x 4: positions times weights; the profiler of TensorFlow gives the same numbers
        (keras.layers.Conv2D(6, 3, strides=2, padding="same"), 6 * 6 * (9 * 4) * 6),
        (keras.layers.Conv2D(8, 3, dilation_rate=2), 8 * 8 * (9 * 4) * 8),
        (keras.layers.Conv2D(8, 3, groups=2), 10 * 10 * (9 * 2) * 8),
        (keras.layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2), 5 * 5 * 9 * 8),
        (keras.layers.SeparableConv2D(8, 3), 10 * 10 * (9 * 4 + 4 * 8)),
        (keras.layers.Conv2DTranspose(5, 3, strides=2, padding="same"), 12 * 12 * 9 * 4 * 5),
        (keras.layers.Dense(7), 12 * 12 * 4 * 7),
        *((keras.layers.BatchNormalization(), 0), (keras.layers.PReLU(), 0), (keras.layers.Dropout(0.5), 0)),
        (keras.layers.ConvLSTM1D(3, 3), None),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_kinds_of_layers(layer: keras.layers.Layer, expected: int | None) -> None:
    keras.Sequential([keras.Input((12, 12, 4)), layer])
    assert multiply_adds.of_layer(layer) == expected
