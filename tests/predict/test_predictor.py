"""Files of models and thresholds from anybody: only numbers that fit are taken from them, nothing runs."""

import contextlib
import pickle
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from cifar10 import files, params, paths
from cifar10.app.current_models import CurrentModels
from cifar10.errors import UserError
from cifar10.evaluation import detector, input_size
from cifar10.predict import predictor
from cifar10.training import models
from tests import plausible

ENTRY = params.load().models["model_0"]
CLASSES = [f"class {index}" for index in range(10)]


@pytest.fixture(scope="module")
def made(module_path):
    """A folder with model_0, its weights as they were drawn."""
    files.write_text(module_path / "params.yaml", Path("params.yaml").read_text())
    with plausible.inside(module_path):
        models.save(models.build("model_0", ENTRY, 10), paths.model("model_0", 0), {})
        detector.save(plausible.detector([16, 32, 64, 256], CLASSES), paths.ood_detector("model_0", 0))
    return module_path


@pytest.fixture
def trained(made, tmp_path, monkeypatch):
    """A copy of the folder, in which the test runs."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused() -> str:
    with pytest.raises(UserError, match="dvc repro") as caught:
        predictor.load(["model_0"], "0")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_right_is_taken(trained):
    answers = predictor.load(["model_0"], "0").classify(np.zeros((3, 32, 32, 3), np.uint8))["model_0"]
    assert answers.probabilities.shape == (3, 10)


def test_the_size_of_the_images_comes_from_the_files(trained):
    assert predictor.load(["model_0"], "0").size == (32, 32)
    models.save(models.build("model_0", ENTRY, 10, (24, 40, 3)), paths.model("model_0", 0), {})
    classifier = predictor.load(["model_0"], "0")
    assert classifier.size == (24, 40)
    answers = classifier.classify(np.zeros((2, 24, 40, 3), np.uint8))["model_0"]
    assert answers.probabilities.shape == (2, 10)
    assert CurrentModels("0").size == (24, 40)
    models.save(models.build("model_1", ENTRY, 10), paths.model("model_1", 0), {})
    with pytest.raises(UserError, match=r"takes images of 24x40 pixels, .*model_1.* of 32x32: run `dvc"):
        input_size.common([paths.model("model_0", 0), paths.model("model_1", 0)])


def test_a_mirror_image_gets_the_same_probabilities_if_params_ask_for_it(trained):
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)

    def probabilities(some):
        return predictor.load(["model_0"], "0").classify(some)["model_0"].probabilities

    assert not np.array_equal(probabilities(images), probabilities(images[:, :, ::-1]))
    path = trained / "params.yaml"
    path.write_text(path.read_text().replace("mirror: [model_3]", "mirror: [model_0]"))
    np.testing.assert_array_equal(probabilities(images), probabilities(images[:, :, ::-1]))


def test_a_layer_that_would_write_a_file_does_not(trained):
    marker = trained / "ran"
    harmful = eval(f"lambda x: (__import__('pathlib').Path({str(marker)!r}).touch(), x)[1]")
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Lambda(harmful), keras.layers.Flatten()])
    assert marker.exists()  # so it works where it is called
    model.add(keras.layers.Dense(10))
    model.save(paths.model("model_0", 0))
    marker.unlink()
    assert "model_0/seed_0.h5" in refused()
    assert not marker.exists()
    with pytest.raises(
        ValueError, match="Lambda"
    ):  # what Keras says to the whole model, unless asked to run it
        keras.models.load_model(paths.model("model_0", 0))
    keras.models.load_model(paths.model("model_0", 0), safe_mode=False)
    assert marker.exists()


def test_the_architecture_in_the_file_builds_nothing(trained):
    with h5py.File(paths.model("model_0", 0), "r+") as file:
        file.attrs["model_config"] = '{"class_name": "os.system", "config": {"command": "touch ran"}}'
    assert "it does not describe its layers" in refused()
    assert not (trained / "ran").exists()


def test_weights_of_another_shape(trained):
    with h5py.File(paths.model("model_0", 0), "r+") as file:
        found: list[str] = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
        del file[found[0]]
        file[found[0]] = np.zeros((7, 7))
    assert "model_0/seed_0.h5" in refused()


@pytest.mark.parametrize("seed", range(20))
def test_truncated_and_changed_files(trained, seed):
    random, path = np.random.default_rng(seed), paths.model("model_0", 0)
    content = bytearray(path.read_bytes())
    if seed % 2:
        del content[random.integers(len(content) // 2) :]
    else:
        for at in random.integers(0, 4000, 60):  # where the file's own tables are
            content[at] = random.integers(256)
    path.write_bytes(content)
    if seed % 2:
        assert "model_0/seed_0.h5" in refused()
    else:  # a change may hit what nobody reads
        with contextlib.suppress(UserError):
            predictor.load(["model_0"], "0")


class Harmful:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize(
    "content", ["pickle", "pickled array", "empty", "text", "no threshold", "other width"]
)
def test_a_damaged_or_hostile_threshold_file(trained, content):
    path = paths.ood_detector("model_0", 0)
    match content:
        case "pickle":
            path.write_bytes(pickle.dumps(Harmful()))
        case "pickled array":
            array = np.empty((), object)
            array[()] = Harmful()
            np.savez(path, score=array, threshold=array, bank=array, classes=array)
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("hello")
        case "no threshold":
            np.savez(path, parts=np.array(["energy"]))
        case "other width":
            detector.save(plausible.detector([16, 32, 99, 256], CLASSES), path)
    assert "model_0/seed_0.ood.npz" in refused()
    assert not (trained / "ran").exists()
