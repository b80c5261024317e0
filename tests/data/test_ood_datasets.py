from typing import get_args

import numpy as np

from cifar10 import params
from cifar10.data import ood_datasets
from cifar10.evaluation import ood_images


def test_ood_datasets_are_deterministic_and_leave_out_the_data():
    sets = ood_datasets.make("cifar10")
    assert [*sets] == ["digits", "faces", "photographs", "textures", "noise"]
    assert [*ood_datasets.make("digits")] == ["faces", "photographs", "textures", "noise"]
    for dataset, again in ood_datasets.make("cifar10").items():
        assert again.dtype == np.uint8
        assert again.shape[1:] == (32, 32, 3)
        assert len(again) >= 100
        np.testing.assert_array_equal(again, sets[dataset])


def test_what_params_may_leave_out_are_the_datasets_and_the_person():
    (entry,) = get_args(params.Data.model_fields["ood_exclude"].annotation)
    assert [*get_args(entry)] == [*ood_datasets.make("cifar10"), "person"]


def test_what_is_left_out_changes_no_image_of_the_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ood_datasets.save("folder")
    before, portrait = ood_images.load(), ood_images.person()
    assert portrait.shape == (32, 32, 3)
    ood_datasets.save("folder", ["photographs", "person"])
    after = ood_images.load()
    assert [*after] == ["digits", "faces", "textures", "noise"]
    assert all((images == before[name]).all() for name, images in after.items())
    assert ood_images.person() is None
