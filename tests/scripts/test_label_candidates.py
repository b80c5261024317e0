"""Each training picture is judged by a network that was trained on others; swapped labels are found."""

import sys

import keras
import numpy as np
import pandas as pd
import pytest
import yaml

from cifar10 import files, params, paths
from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.params import Model
from cifar10.train_options import EarlyStopping, ModelTrain
from cifar10.training import models
from scripts import label_candidates
from tests.plausible import ROOT

CLASSES = ["cat", "dog", "frog"]
SWAPPED = [4, 50, 101]
LAYERS = [
    {"AveragePooling2D": {"pool_size": 16}},
    {"Flatten": {}},
    {"Dense": {"units": "num_classes", "activation": "softmax"}},
]


def pictures(count=120):
    """Draw pictures of a third of the grey levels for each class, with noise; three labels are swapped."""
    truth = np.arange(count) % 3
    noise = np.random.default_rng(0).integers(0, 60, (count, 48, 48, 3))
    labels = truth.copy()
    labels[SWAPPED] = (truth[SWAPPED] + 1) % 3
    return Split((90 * truth[:, None, None, None] + noise).astype(np.uint8), labels)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Change into a project with such pictures and a small model, whose best epoch would be kept."""
    monkeypatch.chdir(tmp_path)
    # the threads of a process can be set only before its first tensor, which other tests may have made
    monkeypatch.setattr(models, "make_deterministic", lambda seed, *_: keras.utils.set_random_seed(seed))
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["train"] |= {"epochs": 30, "batch_size": 8, "keep": "best", "early_stopping": {"patience": 1}}
    content["models"] = {"m": {"optimizer": {"Adam": {"learning_rate": 0.05}}, "layers": LAYERS}}
    content["predict"]["mirror"] = []
    paths.PARAMS.write_text(yaml.safe_dump(content, sort_keys=False))
    paths.VERSIONS.write_text((ROOT / paths.VERSIONS).read_text())
    files.write_json(paths.CLASSES, CLASSES)
    dataset.save("train", *vars(pictures()).values())
    return tmp_path


def test_swapped_labels_of_training_pictures_are_listed(project, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["label_candidates.py", "--epochs", "15"])
    monkeypatch.setattr(label_candidates, "FOLDS", 2)  # a second each
    label_candidates.main()
    table = pd.read_csv("reports/label_candidates_train.csv")
    assert len(table) >= 1  # cleanlab counts cautiously: not always all three
    assert set(table["index"]) <= set(SWAPPED)
    assert (table["split"] == "train").all()
    assert (project / "reports/label_candidates_train.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert f"by m: {len(table)} of 120 training pictures." in printed
    assert "Accuracy on the pictures left out: 97.50 %." in printed  # all but the swapped ones


def test_without_candidates_no_figure_of_an_earlier_call_stays(project, monkeypatch, capsys):
    figure = project / "reports/label_candidates_train.png"
    files.write_text(figure, "of an earlier call")
    monkeypatch.setattr(sys, "argv", ["label_candidates.py"])
    right = np.eye(len(CLASSES))[pictures().labels]
    monkeypatch.setattr(label_candidates, "cross_validated", lambda *_: right)
    label_candidates.main()
    assert pd.read_csv("reports/label_candidates_train.csv").empty
    assert not figure.exists()
    printed = capsys.readouterr().out
    assert "Label candidates, by m: 0 of 120 training pictures." in printed
    assert "label_candidates_train.csv has no rows, and there is no figure." in printed


def test_no_network_is_asked_about_a_picture_of_its_training():
    split, asked = pictures(), []

    def fit(part, images):
        assert set(part.labels) == {0, 1, 2}
        known = {image.tobytes() for image in part.images}
        assert known.isdisjoint(image.tobytes() for image in images)
        asked.extend(images)
        return images[:, 0, 0, :]  # a mark of the picture in place of probabilities

    found = label_candidates.cross_validated(split, CLASSES, fit)
    assert len(asked) == len(split.labels)
    assert np.array_equal(found, split.images[:, 0, 0, :])


def test_a_group_is_never_in_both_parts():
    split, groups, sizes = pictures(), np.arange(120) // 3 // 2, []  # 20 groups of two pictures of each class
    place = {image.tobytes(): index for index, image in enumerate(split.images)}

    def fit(part, images):
        known, asked = ([place[image.tobytes()] for image in each] for each in (part.images, images))
        assert not {*groups[known]} & {*groups[asked]}
        assert sorted(known + asked) == [*range(120)]
        sizes.append(len(asked))
        return images[:, 0, 0, :]

    found = label_candidates.cross_validated(split, CLASSES, fit, groups)
    assert sizes == [24] * 5
    assert np.array_equal(found, split.images[:, 0, 0, :])


def test_the_groups_of_the_training_pictures_reach_the_parts(project, monkeypatch):
    groups = np.arange(120) % 30
    np.save(paths.GROUPS, groups)
    monkeypatch.setattr(sys, "argv", ["label_candidates.py"])
    given = []
    right = np.eye(len(CLASSES))[pictures().labels]
    monkeypatch.setattr(label_candidates, "cross_validated", lambda *all: given.append(all[3]) or right)
    label_candidates.main()
    assert np.array_equal(given[0], groups)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "class dog has 4 training pictures, expected at least 5: add pictures"),
        (
            [0, 1, 2, 3, 4, 5, 5, 6, 6],
            "class dog has 2 groups, expected at least 5: use smaller groups, or add",
        ),
    ],
)
def test_a_class_needs_a_picture_or_a_group_for_each_part(groups, message):
    split = Split(np.zeros((9, 32, 32, 3), np.uint8), np.array([0] * 5 + [1] * 4))
    with pytest.raises(UserError, match=message):
        label_candidates.cross_validated(
            split, CLASSES[:2], lambda *_: None, None if groups is None else np.array(groups)
        )


def test_no_setting_needs_validation_pictures():
    own = ModelTrain(
        keep={"best": "val_loss"}, early_stopping=EarlyStopping(patience=2), epochs=7, batch_size=9
    )
    entry = Model(optimizer={"SGD": {}}, layers=LAYERS, train=own)
    chosen = params.load().model_copy(update={"models": {"m": entry}})
    train = label_candidates.settings(chosen, "m", None).train_of("m")
    assert (train.keep, train.early_stopping, train.epochs, train.batch_size) == ("last", None, 7, 9)
    assert label_candidates.settings(chosen, "m", 3).train_of("m").epochs == 3
    with pytest.raises(UserError, match="--epochs: got 0, expected 1 or more"):
        label_candidates.settings(chosen, "m", 0)
    with pytest.raises(UserError, match="models: got 'n', expected one of m"):
        label_candidates.settings(chosen, "n", None)
