from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from cifar10 import params, paths
from cifar10.data import sources
from cifar10.errors import UserError
from tests import archives

DATA = yaml.safe_load(Path("params.yaml").read_text())["data"]


def data(source):
    return params.Data.model_validate(DATA | {"source": source})


def test_digits_are_the_1797_of_scikit_learn_enlarged():
    images = sources.load(data("digits"))
    content = load_digits()
    assert images.class_names[3] == "three"
    assert len(images.train_images) + len(images.test_images) == len(content.images) == 1797
    assert images.train_images.shape[1:] == images.test_images.shape[1:] == (32, 32, 3)
    originals = [(grey * 255 / 16).round().astype(np.uint8).tobytes() for grey in content.images]
    known = dict(zip(originals, content.target, strict=True))
    for pictures, labels in (
        (images.train_images, images.train_labels),
        (images.test_images, images.test_labels),
    ):
        assert pictures.dtype == np.uint8
        assert labels.dtype == np.int64
        small = np.ascontiguousarray(pictures[:, 2::4, 2::4, 1])
        assert [known[grey.tobytes()] for grey in small] == labels.tolist()
        assert (pictures == np.kron(small, np.ones((1, 4, 4), np.uint8))[..., np.newaxis]).all()
    assert images.train_images.max() == 255


def test_a_fifth_of_every_digit_is_for_testing_and_always_the_same():
    first, second = sources.digits(), sources.digits()
    assert np.array_equal(first.test_images, second.test_images)
    counts = np.bincount(first.test_labels) / np.bincount(load_digits().target)
    assert np.abs(counts - 0.2).max() < 0.01


def test_the_archive_is_read_from_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"cifar-10-python\.tar\.gz not found: run `dvc repro` to download"):
        sources.load(data("cifar10"))
    archives.write(paths.ARCHIVE, archives.small())
    assert sources.load(data("cifar10")).class_names == archives.NAMES
