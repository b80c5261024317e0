from typing import get_args

import numpy as np
import pytest

from cifar10 import params
from cifar10.data import ood_datasets
from cifar10.evaluation import ood_images


@pytest.fixture(scope="module")
def sets():
    return ood_datasets.make("cifar10")


def test_ood_datasets_are_deterministic_and_leave_out_the_data(sets):
    assert [*sets] == ["digits", "faces", "photographs", "textures", "noise"]
    again = ood_datasets.make("digits")
    assert [*again] == ["faces", "photographs", "textures", "noise"]
    for name, images in sets.items():
        assert images.dtype == np.uint8
        assert images.shape[1:] == (32, 32, 3)
        assert len(images) >= 100
        np.testing.assert_array_equal(again.get(name, images), images)


def test_ood_datasets_have_the_size_of_the_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ood_datasets, "MOST", 24 * 40 * 3 * 120)
    ood_datasets.save("folder", size=(24, 40))
    assert ood_images.person().shape == (24, 40, 3)
    counts = {"digits": 1797, "faces": 100, "photographs": 9 * 10, "textures": 3 * 10, "noise": 120}
    assert {name: images.shape for name, images in ood_images.load().items()} == {
        name: (count, 24, 40, 3) for name, count in counts.items()
    }


def test_what_params_may_leave_out_are_the_datasets_and_the_person(sets):
    (entry,) = get_args(params.Data.model_fields["ood_exclude"].annotation)
    assert [*get_args(entry)] == [*sets, "person"]


def test_what_is_left_out_changes_no_image_of_the_others(sets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ood_datasets.save("folder", ["photographs"])
    assert ood_images.person().shape == (32, 32, 3)
    found = ood_images.load()
    assert [*found] == ["digits", "faces", "textures", "noise"]
    for name, images in found.items():
        np.testing.assert_array_equal(images, sets[name])
