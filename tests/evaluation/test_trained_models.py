"""The .h5 files contain networks and the arithmetic behind them; unsuitable files are refused."""

import keras
import numpy as np
import pytest

from cifar10 import params
from cifar10.errors import UserError
from cifar10.evaluation import trained_models
from cifar10.training import models

MODELS = params.load().models
COMPUTED_WITH = {"system": "Linux x86_64", "instructions": "AVX2", "oneDNN": True, "versions": {"keras": "3"}}


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)


def test_output_shapes_of_model_0():
    shapes = [
        layer["output"]
        for layer in trained_models.architecture(models.build("model_0", MODELS["model_0"], 10))
    ]
    sides = [[32, 32, 3], [30, 30, 16], [15, 15, 16], [13, 13, 32], [6, 6, 32], [4, 4, 64], [2, 2, 64]]
    assert shapes == [*sides, [256], [256], [10]]


def test_weights_survive_the_file_and_keras_opens_it_alone(tmp_path, images):
    path = tmp_path / "model_0.h5"
    model = models.build("model_0", MODELS["model_0"], 10)
    models.save(model, path, COMPUTED_WITH)
    again = models.build("model_0", MODELS["model_0"], 10)
    trained_models.load_weights(again, path)
    np.testing.assert_array_equal(models.predictor(again)(images), models.predictor(model)(images))
    alone = keras.models.load_model(path, compile=False)
    np.testing.assert_array_equal(models.predictor(alone)(images), models.predictor(model)(images))
    assert [p.name for p in tmp_path.iterdir()] == ["model_0.h5"]


def test_the_file_says_what_its_weights_were_computed_with(tmp_path):
    path = tmp_path / "model_0.h5"
    model = models.build("model_0", MODELS["model_0"], 10)
    models.save(model, path, COMPUTED_WITH | {"oneDNN": False})
    found = trained_models.facts(model, path)
    assert found["trained_on"] == "Linux x86_64, AVX2, without oneDNN"
    assert found["parameters"] == 91_946
    assert found["bytes"] == path.stat().st_size
    model.save(path)  # as Keras writes it
    assert trained_models.facts(model, path)["trained_on"] == "unknown"


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
        trained_models.load_weights(models.build("model_0", MODELS["model_0"], 10), path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
