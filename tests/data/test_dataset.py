from pathlib import Path

import numpy as np
import pytest

from cifar10 import paths
from cifar10.data import dataset
from cifar10.errors import UserError


@pytest.mark.parametrize("count", [0, 3])
def test_splits_come_back_from_disk_as_they_were(tmp_path, monkeypatch, count):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
    dataset.save("validation", images, np.arange(count))
    split = dataset.load("validation")
    loaded, labels = split.images, split.labels
    assert np.array_equal(loaded, images)
    assert loaded.dtype == np.uint8
    assert labels.dtype == np.int64
    assert labels.tolist() == list(range(count))
    assert sorted(paths.PROCESSED.rglob("*.npy")) == [paths.images("validation"), paths.labels("validation")]


def test_images_stay_on_disk_until_they_are_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset.save("train", np.zeros((3, 32, 32, 3), np.uint8), np.arange(3))
    assert isinstance(dataset.load("train").images, np.memmap)


def test_a_chosen_part_of_a_split_is_written_as_numpy_writes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (250, 20, 17, 3), np.uint8)
    chosen = np.flatnonzero(np.arange(250) % 7)  # several parts
    dataset.save("train", images, np.arange(250), chosen)
    np.save(tmp_path / "expected.npy", images[chosen])
    assert paths.images("train").read_bytes() == (tmp_path / "expected.npy").read_bytes()
    assert dataset.load("train").labels.tolist() == chosen.tolist()


@pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells the memory of a map"
)
def test_pages_of_a_large_split_are_given_back(tmp_path, monkeypatch):
    def mapped():
        lines = Path("/proc/self/smaps").read_text().partition("train/images.npy")[2].splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))  # kB

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dataset, "LARGE", 1_000_000)
    images = np.random.default_rng(0).integers(0, 256, (100, 64, 64, 3), np.uint8)
    dataset.save("train", images, np.arange(100))
    loaded = dataset.load("train").images
    assert loaded.sum() == images.sum()
    assert mapped() >= 1_000
    dataset.release(loaded)
    dataset.release(images)  # nothing to give back
    assert mapped() < 200
    assert np.array_equal(loaded, images)


def test_a_missing_split_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"data/processed/test/images\.npy not found: run `dvc repro`"):
        dataset.load("test")
