"""Maps equal those of a formula worked out by hand, and of finite differences."""

import numpy as np
import pytest

from cifar10 import params
from cifar10.evaluation import features, gradcam, saliency
from cifar10.params import Model
from cifar10.training import models
from cifar10.training.probabilities import normalize

MODELS = params.load().models
RANDOM = np.random.default_rng(4)
IMAGES = RANDOM.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
RESIDUAL = {"Residual": {"layers": [{"Conv2D": {"filters": 5, "kernel_size": 3, "padding": "same"}}]}}
TWICE = {"Repeat": {"times": 2, "layers": [{"Conv2D": {"filters": 5, "kernel_size": 3, "strides": 3}}]}}


def build(*layers):
    entry = {"optimizer": {"SGD": {"learning_rate": 0.1}}, "layers": [*layers]}
    return models.build("net", Model.model_validate(entry), 4)


def convolution(filters, **more):
    return {"Conv2D": {"filters": filters, "kernel_size": 3, **more}}


def end(activation="softmax"):
    return {"Dense": {"units": "num_classes", "activation": activation}}


def randomized(model):
    """Give every weight a random value, also where Keras starts with zeros."""
    model.set_weights([RANDOM.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    return model


def activations(model, name, images):
    """The outputs of a layer, by calling one layer after the other."""
    values = images
    for layer in model.layers:
        values = layer(values)
        if layer.name == name:
            return np.asarray(values, np.float64)
    raise AssertionError(name)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_mean_and_a_linear_layer_give_the_weighted_sum_of_the_channels(activation):
    """Zhou et al. (CVPR 2016): y_k = sum over c of w_ck mean(A_c), so dy_k / dA_c = w_ck / (H W)."""
    model = randomized(build(convolution(6, strides=5), {"GlobalAveragePooling2D": {}}, end(activation)))
    layer = gradcam.spatial_layer(model)
    found = gradcam.explainer(model)(IMAGES, np.array([0, 3, 1]))
    outputs = activations(model, layer.name, IMAGES)
    kernel, _ = model.layers[-1].get_weights()
    for own, values, label in zip(found, outputs, [0, 3, 1], strict=True):
        by_hand = np.maximum(values @ kernel[:, label].astype(np.float64) / (6 * 6), 0)
        np.testing.assert_allclose(own, 255 * by_hand / max(by_hand.max(), 1e-9), atol=0.51)
    assert found.max() == 255


@pytest.mark.parametrize(
    "layers",
    [
        [
            convolution(4, strides=6, activation="relu"),
            {"Flatten": {}},
            {"Dense": {"units": 7, "activation": "tanh"}},
        ],
        [
            convolution(4, strides=4, activation="tanh"),
            {"AveragePooling2D": {"pool_size": 3}},
            {"Flatten": {}},
        ],
    ],
)
def test_the_weights_of_the_channels_are_finite_differences(layers):
    model = randomized(build(*layers, end()))
    layer = gradcam.spatial_layer(model)
    place = [each.name for each in model.layers].index(layer.name)

    def logits(values, label):  # of N activations, layer by layer
        for each in model.layers[place + 1 : -1]:
            values = np.asarray(each(values.astype(np.float32)), np.float64)
        kernel, bias = model.layers[-1].get_weights()
        return (values.reshape(len(values), -1) @ kernel.astype(np.float64) + bias)[:, label]

    (values,) = activations(model, layer.name, IMAGES[:1])
    steps = 0.01 * np.eye(values.size).reshape(values.size, *values.shape)  # one value each
    slopes = (logits(values + steps, 2) - logits(values - steps, 2)).reshape(values.shape) / 0.02
    expected = np.maximum(values @ slopes.mean(axis=(0, 1)), 0)
    assert expected.max() > 0
    (found,) = gradcam.explainer(model)(IMAGES[:1], np.array([2]))
    np.testing.assert_allclose(found, 255 * expected / expected.max(), atol=3)


@pytest.mark.parametrize(
    ("layers", "kind", "shape"),
    [
        ([convolution(4), {"MaxPooling2D": {"pool_size": 2}}, {"Flatten": {}}], "Conv2D", (30, 30)),
        ([convolution(5), RESIDUAL, {"ReLU": {}}, {"GlobalMaxPooling2D": {}}], "ReLU", (30, 30)),
        ([convolution(5, strides=8), RESIDUAL, {"Flatten": {}}], "Add", (4, 4)),
        (
            [{"Repeat": {"times": 2, "layers": [convolution(5, strides=3)]}}, {"Flatten": {}}],
            "Conv2D",
            (3, 3),
        ),
    ],
)
def test_the_layer_is_the_last_one_with_places_before_pooling(layers, kind, shape):
    model = randomized(build(*layers, end()))
    assert type(gradcam.spatial_layer(model)).__name__ == kind
    assert gradcam.explainer(model)(IMAGES, np.array([1, 2, 3])).shape == (3, *shape)


def test_every_model_of_the_parameters_has_a_map():
    places = {
        name: tuple(gradcam.spatial_layer(models.build(name, entry, 10)).output.shape[1:3])
        for name, entry in MODELS.items()
    }
    assert places == dict.fromkeys(MODELS, (4, 4))


@pytest.mark.parametrize("layers", [[{"Flatten": {}}], [{"MaxPooling2D": {"pool_size": 2}}, {"Flatten": {}}]])
def test_a_model_without_places_has_no_map(layers):
    model = build(*layers, end())
    assert gradcam.spatial_layer(model) is None
    assert gradcam.explainer(model) is None


def test_a_mirrored_map_is_symmetric_and_does_not_depend_on_other_images():
    model = randomized(build(convolution(4, strides=4), {"Flatten": {}}, end()))
    plain, mirrored = gradcam.explainer(model), gradcam.explainer(model, mirror=True)
    labels = np.array([0, 1, 2])
    found = mirrored(IMAGES, labels)
    np.testing.assert_array_equal(found[:, :, ::-1], mirrored(IMAGES[:, :, ::-1], labels))
    assert not np.array_equal(found, plain(IMAGES, labels))
    np.testing.assert_array_equal(mirrored(IMAGES[1:2], labels[1:2])[0], found[1])
    assert mirrored(IMAGES[:0], labels[:0]).shape == (0, 8, 8)


def test_the_model_stays_as_it_was():
    model = build(convolution(4), {"Flatten": {}}, end())
    before, scores = model.to_json(), models.predictor(model)(IMAGES)[0]
    gradcam.explainer(model)(IMAGES, np.array([0, 0, 0]))
    assert model.to_json() == before
    after = features.feature_extractor(model)(IMAGES).probabilities
    np.testing.assert_array_equal(after, normalize(scores))
    assert [layer.output.shape for layer in model.layers][-1] == (None, 4)


def test_the_largest_value_becomes_255_and_zeros_stay():
    np.testing.assert_array_equal(
        saliency.quantized(np.array([[0, 1], [2, 4]], np.float32)), [[0, 64], [128, 255]]
    )
    np.testing.assert_array_equal(saliency.quantized(np.zeros((2, 2), np.float32)), np.zeros((2, 2)))


def test_every_training_counts_equally_in_a_mean():
    one, other = np.array([[[255, 0]]], np.uint8), np.array([[[255, 255]]], np.uint8)
    np.testing.assert_array_equal(saliency.mean([one, other]), [[[255, 128]]])


def test_an_overlay_is_grey_without_a_map_and_orange_where_it_is_high():
    image = np.full((4, 4, 3), (200, 100, 0), np.uint8)
    grey = 118  # 0.299 * 200 + 0.587 * 100, rounded down
    without = saliency.overlay(image, np.zeros((2, 2), np.uint8))
    np.testing.assert_array_equal(without, np.full((128, 128, 3), grey))
    assert saliency.overlay(np.zeros((32, 32, 3), np.uint8), np.zeros((2, 2), np.uint8)).shape == (
        128,
        128,
        3,
    )
    large = np.zeros((96, 200, 3), np.uint8)
    assert saliency.overlay(large, np.zeros((2, 2), np.uint8)).shape == large.shape
    right = saliency.overlay(image, np.array([[0, 255]], np.uint8))
    np.testing.assert_allclose(right[40, -1], 0.25 * grey + 0.75 * np.array([255, 96, 0]), atol=1)
    assert (np.diff(right[40, :, 0].astype(int)) >= 0).all()
