"""cifar10-export on networks with drawn weights: files, description, example programs, mistakes."""

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage
import yaml

from cifar10 import params, paths
from cifar10.data import dataset, images
from cifar10.errors import StaleError, UserError
from cifar10.evaluation import detector, features, temperature
from cifar10.export import cli, exporter, folder, formats, runtimes, self_check
from cifar10.predict import predictor
from cifar10.training import models
from tests import plausible

ASTRONAUT = Path(skimage.__file__).parent / "data/astronaut.png"
NAME = "model_0"
LAYERS = [
    {"Conv2D": {"filters": 4, "kernel_size": 3, "strides": 2, "activation": "relu"}},
    {"Flatten": {}},
    {"Dense": {"units": "num_classes", "activation": "sigmoid"}},
]
BARE = {  # the packages that an example needs, and what these need
    "onnx": "numpy PIL onnxruntime",
    "litert": "numpy PIL ai_edge_litert flatbuffers tqdm backports ml_dtypes typing_extensions google",
}


def _network(seed):
    """Build a network with drawn weights, whose probabilities are far from equal."""
    models.keras.utils.set_random_seed(seed)
    network = models.build(NAME, params.load().model(NAME), 10)
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel * 10, bias])
    return network


@pytest.fixture(scope="module")
def trained(module_path):
    """A folder with data, two trainings of a network and their detectors."""
    root = plausible.write(module_path / "trained", images=200, seeds=(0, 1), skills={NAME: 3.0})
    with plausible.inside(root):
        content = yaml.safe_load(paths.PARAMS.read_text())
        content["models"][NAME]["layers"] = LAYERS
        content["predict"]["mirror"] = [NAME]
        paths.PARAMS.write_text(yaml.safe_dump(content, sort_keys=False))
        networks = [_network(seed) for seed in (0, 1)]
        extract = [features.feature_extractor(network, mirror=True) for network in networks]
        for split in ("validation", "test"):
            found = extract[0](np.array(dataset.load(split).images)).probabilities.argmax(axis=1)
            found[::3] = 0  # a third of the answers are mostly wrong
            np.save(paths.labels(split), found)
        held_out = dataset.load("validation")
        for seed, network in enumerate(networks):
            models.save(network, paths.model(NAME, seed), {})
            found = extract[seed](np.array(held_out.images)).probabilities
            kept = temperature.Validation(held_out.labels, found.astype(np.float32))
            made = plausible.detector([4], plausible.CIFAR10, kept)
            detector.save(made, paths.ood_detector(NAME, seed))
    return root


def export(root, kind, target, seed=None, int8=False):
    with plausible.inside(root):
        return exporter.export(params.load(), NAME, kind, target, seed, int8)


@pytest.fixture(scope="module")
def exported(trained, module_path):
    """Folders of an export to ONNX and, of one seed with 8-bit weights, to LiteRT; and what was printed."""
    targets = {kind: module_path / "exports" / kind for kind in ("onnx", "litert")}
    printed = {"onnx": export(trained, "onnx", targets["onnx"])}
    printed["litert"] = export(trained, "litert", targets["litert"], "0", int8=True)
    return targets, printed


def described(target):
    return json.loads((target / "model.json").read_text())


def run_bare(kind, target, photo, place):
    """Run the example with the standard library and the packages of BARE alone."""
    place.mkdir()
    for package in BARE[kind].split():
        found = importlib.util.find_spec(package)
        home = Path((found.submodule_search_locations or [found.origin])[0])
        for each in (home, home.with_name(f"{home.name}.libs"), home.with_name("pillow.libs")):
            if each.exists() and not (place / each.name).exists():
                (place / each.name).symlink_to(each)
    done = subprocess.run(
        [sys.executable, "-S", target / "example.py", photo],
        env={"PYTHONPATH": str(place), "PATH": os.environ["PATH"]},
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("kind", "seed"), [("onnx", None), ("litert", "0")])
def test_the_example_answers_without_this_project_as_the_predictor_does(
    trained, exported, tmp_path, kind, seed
):
    target = exported[0][kind]
    with plausible.inside(trained):
        answers = predictor.load([NAME], seed).classify(images.read(ASTRONAUT)[np.newaxis])[NAME]
    least = described(target)["none_of_these"]["largest_probability"]
    best = answers.probabilities[0].max()
    assert abs(best - least) > 0.03  # so that 8 bits decide alike
    word, percent = re.fullmatch(
        r"(.+) (\d+\.\d\d)%", run_bare(kind, target, ASTRONAUT, tmp_path / "x")
    ).groups()
    assert word == (plausible.CIFAR10[answers.top(0)[0]] if best >= least else "none of these")
    assert float(percent) == pytest.approx(100 * best, abs=0.006 if kind == "onnx" else 3)


def test_the_description_is_that_of_the_file_and_of_the_model(trained, exported):
    target = exported[0]["onnx"]
    about = described(target)
    content = (target / about["file"]).read_bytes()
    assert about["files"] == {
        "model.onnx": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    }
    assert (about["format"], about["quantized"], about["seeds"]) == ("onnx", None, [0, 1])
    with plausible.inside(trained):
        classifier = predictor.load([NAME])
        held_out = dataset.load("validation").images
        model = paths.model(NAME, 1).read_bytes()
    assert about["source"]["models"]["models/model_0/seed_1.h5"] == hashlib.sha256(model).hexdigest()
    assert about["classes"] == plausible.CIFAR10
    assert about["temperature"] == classifier.temperatures[NAME] != 1
    assert about["none_of_these"]["detector"]["threshold"] == classifier.detectors[NAME].threshold
    top = classifier.classify(np.array(held_out))[NAME].probabilities.max(axis=1)
    fifth = np.sort(top)[4]  # of 100 images; the kept predictions are float32
    assert about["none_of_these"]["largest_probability"] == pytest.approx(fifth, abs=1e-6)


def test_the_check_of_8_bits_prints_the_change_of_accuracy(trained, exported):
    targets, printed = exported
    head, difference, change = printed["litert"]
    assert head.startswith(f"{targets['litert']}: {NAME}, seeds 0, 0.0 MB")
    with plausible.inside(trained):
        split = dataset.load("test")
        before = predictor.load([NAME], "0").classify(np.array(split.images))[NAME].probabilities
        after = runtimes.load("litert", targets["litert"] / "model.tflite")(np.array(split.images))
    largest, accuracy = np.abs(after - before).max(), (after.argmax(axis=1) == split.labels).mean()
    assert difference == f"200 test images: largest difference of a probability {largest:.2g}"
    assert 1e-4 < largest < 0.1
    found = described(targets["litert"])["check"]
    assert found["accuracy"] == accuracy
    assert found["interval"][0] <= found["change"] == pytest.approx(accuracy - found["accuracy_before"])
    assert change.startswith(f"int8: accuracy {100 * accuracy:.2f} %, before ")
    assert change.endswith(f"{100 * found['interval'][1]:+.2f})")
    assert len(printed["onnx"]) == 2


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_failure_leaves_the_old_export_and_nothing_else(trained, exported, tmp_path, monkeypatch):
    target = tmp_path / "export"
    export(trained, "keras", target, "0")
    before = contents(tmp_path)
    assert sorted(before) == ["export/example.py", "export/model.json", "export/model.keras"]
    monkeypatch.setattr(self_check, "LARGEST", 0.0)
    with pytest.raises(UserError, match=r"by \S+, expected at most 0: nothing is written"):
        export(trained, "keras", target, "1")
    assert contents(tmp_path) == before
    monkeypatch.undo()
    export(trained, "keras", target, "1")
    assert described(target)["seeds"] == [1]
    assert len(contents(tmp_path)) == 3


def test_other_layers_than_those_of_params_are_refused(trained, tmp_path):
    with plausible.inside(trained):
        before = paths.PARAMS.read_text()
        paths.PARAMS.write_text(before.replace("sigmoid", "softmax"))
        try:
            with pytest.raises(StaleError, match="run `dvc repro`"):
                exporter.export(params.load(), NAME, "keras", tmp_path / "x", None, False)
        finally:
            paths.PARAMS.write_text(before)
    assert [*tmp_path.iterdir()] == []


def test_images_of_another_size_than_the_models_are_refused(trained):
    with plausible.inside(trained), pytest.raises(UserError, match=r"images of 32x32 pixels, .* takes 20x24"):
        self_check.sample((20, 24))


def test_without_test_images_random_ones_are_compared(tmp_path):
    with plausible.inside(tmp_path):
        sample = self_check.sample((20, 24))
        with pytest.raises(UserError, match="dvc repro"):
            self_check.calibration((20, 24))
    assert sample.images.shape == (100, 20, 24, 3)
    run = lambda some: np.full((len(some), 2), 0.5)  # noqa: E731
    found = self_check.compare(sample, np.full((100, 2), [0.25, 0.75]), run)
    assert found == {"images": 100, "kind": "random", "largest_difference": 0.25}
    assert self_check.words(found, int8=True) == [
        "100 random images: largest difference of a probability 0.25"
    ]
    with pytest.raises(UserError, match="nothing is written"):
        self_check.check({"largest_difference": float("nan")})


def refused(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["cifar10-export", *map(str, arguments)])
    with pytest.raises(UserError) as caught:
        cli.main()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_mistakes_are_found_before_the_model_is_loaded(monkeypatch, tmp_path):
    run = ("model_0", "--format", "keras", "--output")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/photo.jpg").touch()
    own = tmp_path / "own"
    assert refused(monkeypatch, *run, own) == (
        f"{own} exists: choose another --output, or replace it with --force"
    )
    assert "is not an export" in refused(monkeypatch, *run, own, "--force")
    assert "is not a folder" in refused(monkeypatch, *run, own / "photo.jpg/x")
    assert (own / "photo.jpg").exists()
    assert "got 'model_9', expected one of" in refused(monkeypatch, "model_9", *run[1:], tmp_path / "x")
    assert "train.seeds: got '7'" in refused(monkeypatch, *run, tmp_path / "x", "--seed", "7")
    assert refused(monkeypatch, *run, tmp_path / "x", "--quantize", "int8") == (
        "--quantize int8: got the format keras, expected one of litert, onnx"
    )
    monkeypatch.setitem(formats.FORMATS, "keras", formats.Format("model.keras", ("numpy", "no_such_package")))
    assert refused(monkeypatch, *run, tmp_path / "x") == (
        "the format keras needs no_such_package, which is not installed: run `pip install -e '.[export]'`"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["own"]


def test_a_folder_that_is_interrupted_while_it_is_replaced_comes_back(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/model.json").write_text('{"format": "onnx"}')
    folder.check(tmp_path / "a", force=True)

    def interrupted():
        with folder.replacing(tmp_path / "a") as new:
            (new / "model.json").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert contents(tmp_path) == {"a/model.json": b'{"format": "onnx"}'}


def test_help_has_examples_and_default_names_are_those_of_the_options(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cifar10-export", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "cifar10-export model_3 --format onnx " in capsys.readouterr().out
    parse = cli.arguments.parser("").parse_args
    options = parse(["model_3", "--format", "litert", "--quantize", "int8", "--seed", "0"])
    assert cli.arguments.folder(options) == Path("exports/model_3-seed_0-litert-int8")
