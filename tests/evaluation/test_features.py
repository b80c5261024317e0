"""One pass gives the same probabilities as a prediction, bit for bit, and logits that explain them."""

import numpy as np
import pytest
from scipy.special import softmax

from cifar10 import params
from cifar10.evaluation import features
from cifar10.training import models
from cifar10.training.probabilities import normalize

MODELS = params.load().models
IMAGES = np.random.default_rng(2).integers(0, 256, (150, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(params=["model_0", "model_1"], scope="module")
def model(request):
    return models.build(request.param, MODELS[request.param], 10)


@pytest.fixture(scope="module")
def extract(model):
    return features.feature_extractor(model)


def test_probabilities_are_those_of_a_prediction(model, extract):
    found = extract(IMAGES[:150])  # two batches and a part
    (scores,) = models.predictor(model)(IMAGES[:150])
    np.testing.assert_array_equal(found.probabilities, normalize(scores))


def test_a_mirrored_prediction_is_the_mean_over_both_images(model, extract):
    found, other = extract(IMAGES[:70]), extract(np.ascontiguousarray(IMAGES[:70, :, ::-1]))
    extract_mirrored = features.feature_extractor(model, mirror=True)
    mirrored = extract_mirrored(IMAGES[:70])
    np.testing.assert_array_equal(mirrored.probabilities, (found.probabilities + other.probabilities) / 2)
    np.testing.assert_array_equal(mirrored.logits, found.logits)
    np.testing.assert_array_equal(mirrored.features, found.features)
    assert not np.array_equal(mirrored.probabilities, found.probabilities)
    again = extract_mirrored(IMAGES[:70, :, ::-1])
    np.testing.assert_array_equal(again.probabilities, mirrored.probabilities)


def test_logits_and_features_explain_the_probabilities(model, extract):
    found = extract(IMAGES[:50])
    np.testing.assert_allclose(softmax(found.logits, axis=1), found.probabilities, rtol=1e-5)
    kernel, bias = model.layers[-1].get_weights()
    raw = found.features @ kernel + bias
    sigmoid = models.output_activation(model) == "sigmoid"
    np.testing.assert_allclose(found.logits, np.log(1 / (1 + np.exp(-raw))) if sigmoid else raw, atol=1e-5)


def test_no_image_is_no_error(extract):
    assert extract(IMAGES[:0]).probabilities.shape == (0, 10)


def test_wide_features_are_sketched_in_bounded_memory(monkeypatch):
    layers = [
        {"MaxPooling2D": {"pool_size": 2}},
        {"Conv2D": {"filters": 20, "kernel_size": 1, "activation": "relu"}},
        {"Flatten": {}},
        MODELS["model_1"].layers[-1],
    ]
    model = models.build("wide", MODELS["model_1"].model_copy(update={"layers": layers}), 10)
    sizes = []
    monkeypatch.setattr(
        features, "sketch", lambda flat, kept=features.sketch: sizes.append(flat.shape) or kept(flat)
    )
    extract = features.feature_extractor(model)
    found = extract(IMAGES[:150])
    assert found.features.shape == (150, features.SKETCH)
    assert sizes == [(64, 5120), (64, 5120), (22, 5120)]
    np.testing.assert_array_equal(found.features[100:101], extract(IMAGES[100:101]).features)
    (scores,) = models.predictor(model)(IMAGES[:150])
    np.testing.assert_array_equal(found.probabilities, normalize(scores))


def test_a_sketch_keeps_angles_and_lengths():
    vectors = np.random.default_rng(0).random((40, 30_000), np.float32)
    vectors[1] = vectors[0] + 0.1 * vectors[2]
    short = features.sketch(vectors).astype(np.float64)
    exact = vectors.astype(np.float64)
    cosine = [v @ v.T / np.outer(*[np.linalg.norm(v, axis=1)] * 2) for v in (exact, short)]
    assert np.abs(cosine[0] - cosine[1]).max() < 5 / np.sqrt(features.SKETCH)
    np.testing.assert_allclose(
        np.linalg.norm(short, axis=1), np.linalg.norm(exact, axis=1), rtol=5 / np.sqrt(features.SKETCH)
    )


@pytest.mark.parametrize(
    "end",
    [
        [{"Dense": {"units": 10}}, {"Softmax": {}}],
        [{"Dense": {"units": 10}}, {"Activation": {"activation": "sigmoid"}}],
    ],
)
def test_an_activation_may_be_a_layer_of_its_own(end):
    entry = MODELS["model_0"].model_copy(update={"layers": [{"Flatten": {}}, *end]})
    found = features.feature_extractor(models.build("other", entry, 10))(IMAGES[:5])
    np.testing.assert_allclose(softmax(found.logits, axis=1), found.probabilities, rtol=1e-5)
    assert found.features.shape == (5, 3072)
