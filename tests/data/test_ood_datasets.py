import numpy as np

from cifar10.data import ood_datasets


def test_ood_datasets_are_deterministic_and_leave_out_the_data():
    sets = ood_datasets.make("cifar10")
    assert [*sets] == ["digits", "faces", "photographs", "textures", "noise"]
    assert [*ood_datasets.make("digits")] == ["faces", "photographs", "textures", "noise"]
    for dataset, again in ood_datasets.make("cifar10").items():
        assert again.dtype == np.uint8
        assert again.shape[1:] == (32, 32, 3)
        assert len(again) >= 100
        np.testing.assert_array_equal(again, sets[dataset])
