"""Errors describe a fault in params.yaml in one line."""

import copy

import pytest
import yaml

from cifar10 import params
from cifar10.errors import UserError

COMMITTED = yaml.safe_load(params.paths.PARAMS.read_text())


@pytest.fixture
def content():
    return copy.deepcopy(COMMITTED)


def load(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    return params.load(path)


def test_the_committed_file_is_valid_and_keeps_every_value(content, tmp_path):
    loaded = load(tmp_path, content)
    assert loaded.model_dump(exclude_unset=True) == content


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train.epochs", -1, ["train.epochs", "-1", "greater than or equal to 1"]),
        ("train.epochs", "ten", ["train.epochs", "'ten'", "integer"]),
        ("train.batch_size", 0, ["train.batch_size", "0", "greater than or equal to 1"]),
        ("train.epoch", 3, ["train.epoch", "unknown key", "epochs, batch_size, seed"]),
        ("train.seeds", [], ["train.seeds", "[]", "at least 1"]),
        (
            "train.seeds",
            [0, 1, 0],
            ["train.seeds", "[0, 1, 0]", "expected different seeds, 0 occurs 2 times"],
        ),
        ("train.seeds", [0, -1], ["train.seeds.1", "-1", "greater than or equal to 0"]),
        ("train.seeds", [2**32], ["train.seeds.0", "4294967296", "less than 4294967296"]),
        ("train.seeds", [0.5], ["train.seeds.0", "0.5", "integer"]),
        ("train.seeds", ["a"], ["train.seeds.0", "'a'", "integer"]),
        ("train.seeds", [True], ["train.seeds.0", "True", "integer"]),
        ("train.seeds", 3, ["train.seeds", "3", "list"]),
        ("train.seeds", None, ["train.seeds", "None", "list"]),
        ("train.seed", 0, ["train.seed", "unknown key", "epochs, batch_size, seeds, portable"]),
        ("data.source", "mnist", ["data.source", "'mnist'", "'cifar10', 'digits' or 'folder'"]),
        ("data.image_size", 0, ["data.image_size: got 0, expected 16 to 1024 pixels"]),
        ("data.image_size", 5000, ["data.image_size: got 5000, expected 16 to 1024 pixels"]),
        ("data.image_size", [32], ["data.image_size: got [32], expected a number", "[height, width]"]),
        ("data.image_size", [32, True], ["data.image_size: got [32, True], expected 16 to 1024"]),
        ("data.image_size", 64.0, ["data.image_size: got 64.0, expected a number of pixels"]),
        ("data.image_size", 64, ["data.image_size: got 64, expected 32: source: cifar10 has"]),
        ("data.folder", "~/pictures", ["data.folder", "'~/pictures'", "home folder in full"]),
        ("data.folder", "a\0b", ["data.folder", "control characters"]),
        ("data.validation_fraction", 1.0, ["data.validation_fraction", "1.0", "less than 1"]),
        ("data.cifar10.mirrors", [], ["data.cifar10.mirrors", "[]", "at least 1"]),
        ("data.cifar10.mirror", "x", ["data.cifar10.mirror", "unknown key", "mirrors"]),
        ("data.cifar10.sha256", "abc", ["data.cifar10.sha256", "'abc'"]),
        ("models", {}, ["models", "{}", "at least 1"]),
        ("models.model_0.optimiser", {}, ["models.model_0.optimiser", "unknown key", "optimizer, layers"]),
        (
            "models.model_0.augment",
            {"flip": "both"},
            ["augment.flip", "'both'", "'horizontal' or 'alternating'"],
        ),
        ("models.model_0.augment", {"shift": 128}, ["augment.shift", "128", "less than or equal to 127"]),
        ("models.model_0.augment", {"shift": 0.5}, ["augment.shift", "0.5", "integer"]),
        ("models.model_0.augment", {"cutout": -1}, ["augment.cutout", "-1", "greater than or equal to 0"]),
        ("models.model_0.augment", {"outliers": 1.5}, ["augment.outliers", "1.5", "less than or equal to 1"]),
        ("models.model_0.augment", {"outlier_weight": 0}, ["augment.outlier_weight", "0", "greater than 0"]),
        (
            "models.model_0.augment",
            {"outlier_weight": 0.5},
            ["models.model_0.augment.outlier_weight: got 0.5, expected outliers beside it"],
        ),
        (
            "models.model_0.augment",
            {"outliers": 0, "outlier_weight": 1},
            ["outlier_weight: got 1, expected outliers beside it"],
        ),
        ("models.model_0.augment", {"crop": 2}, ["augment.crop: unknown key", "flip, shift, cutout"]),
        ("train.dtype", "mixed_bfloat16", ["train.dtype", "mixed_bfloat16", "float32 with `device: cpu`"]),
        ("train.dtype", "float16", ["train.dtype", "'float16'", "'mixed_float16'"]),
        ("models.model_0.layers", [{"Dense": 3}], ["models.model_0.layers.0.Dense", "3"]),
        ("models.model_0.layers", [{"A": {}, "B": {}}], ["models.model_0.layers.0", "one Keras class"]),
        (
            "models.a/b",
            {"optimizer": "Adam", "layers": ["Flatten"]},
            ["models: got the name 'a/b'", "letters, digits, - and _"],
        ),
        (
            "models.model_0.train",
            {"epoch": 3},
            ["models.model_0.train.epoch", "unknown key", "epochs, batch_"],
        ),
        ("models.model_0.train", {"seeds": [1]}, ["models.model_0.train.seeds", "unknown key"]),
        ("models.model_0.train", {"epochs": None}, ["models.model_0.train.epochs", "None", "integer"]),
        ("models.model_0.train", 3, ["models.model_0.train", "3", "dictionary"]),
        ("train.label_smoothing", 1, ["train.label_smoothing", "1", "less than 1"]),
        ("train.class_weight", {"cat": "a"}, ["train.class_weight", "a positive weight per class"]),
        ("train.class_weight", "even", ["train.class_weight", "'even'", "balanced"]),
        ("train.keep", "first", ["train.keep", "'first'", "last, best, {best: val_accuracy}"]),
        ("train.early_stopping", {"patience": -1}, ["train.early_stopping.patience", "-1"]),
        ("train.early_stopping", {"monitor": "loss", "patience": 1}, ["monitor", "'val_accuracy' or 'val_l"]),
        ("train.images", 0, ["train.images", "0", "greater than or equal to 1"]),
        (
            "predict.mirror",
            ["model_0", "model_7"],
            ["predict: got", "model_0, model_1, model_2", "found 'model_7'"],
        ),
        ("predict.mirror", True, ["predict.mirror", "True", "list"]),
        ("predict.mirrored", [], ["predict.mirrored: unknown key", "mirror"]),
        ("report.reference.model_0.loss", -1.0, ["report.reference.model_0.loss", "-1.0"]),
        ("report.reference.model_0.x", 1, ["report.reference.model_0.x", "accuracy, loss, parameters"]),
        ("model", {}, ["model: unknown key", "data, train, report, models, predict"]),
    ],
)
def test_a_fault_names_the_key_what_it_got_and_what_is_allowed(content, tmp_path, key, value, words):
    *sections, last = key.split(".")
    section = content
    for name in sections:
        section = section[name]
    section[last] = value
    with pytest.raises(UserError) as caught:
        load(tmp_path, content)
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_a_missing_key_is_named(content, tmp_path):
    del content["train"]["seeds"]
    with pytest.raises(UserError, match=r"train\.seeds: missing"):
        load(tmp_path, content)


def test_a_misspelt_key_is_named_before_the_one_that_it_leaves_missing(content, tmp_path):
    content["train"]["epoch"] = content["train"].pop("epochs")
    with pytest.raises(UserError, match=r"train\.epoch: unknown key"):
        load(tmp_path, content)


def test_a_layer_without_arguments_may_be_a_bare_name(content, tmp_path):
    bare = copy.deepcopy(content)
    bare["models"]["model_0"]["layers"][6] = "Flatten"
    assert load(tmp_path, bare) == load(tmp_path, content)


def test_a_missing_file_says_where_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"params\.yaml not found .*root folder"):
        params.load()


def test_broken_yaml_is_one_line(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("train: {epochs: [")
    with pytest.raises(UserError, match="not valid YAML") as caught:
        params.load(path)
    assert "\n" not in str(caught.value)


def test_an_unknown_seed_lists_those_there_are(content, tmp_path):
    loaded = load(tmp_path, content)
    assert loaded.seed("2") == 2
    for text in ("3", "-1", "02", "two", ""):
        with pytest.raises(UserError, match=rf"train\.seeds: got '{text}', expected one of 0, 1, 2"):
            loaded.seed(text)


def test_an_unknown_model_name_lists_those_there_are(content, tmp_path):
    with pytest.raises(UserError, match="'model_9', expected one of model_0, model_1, model_2"):
        load(tmp_path, content).model("model_9")


def test_the_settings_of_a_model_replace_those_of_all(content, tmp_path):
    content["train"]["early_stopping"] = {"patience": 2}
    content["models"]["model_1"]["train"] = {"epochs": 3, "early_stopping": None, "keep": "best"}
    loaded = load(tmp_path, content)
    assert loaded.train_of("model_0") == loaded.train
    own = loaded.train_of("model_1")
    assert (own.epochs, own.early_stopping, own.keep) == (3, None, "val_accuracy")
    assert own.model_dump(exclude={"epochs", "early_stopping", "keep"}) == loaded.train.model_dump(
        exclude={"epochs", "early_stopping", "keep"}
    )
