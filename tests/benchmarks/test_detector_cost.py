"""The benchmark of the OOD detector's cost: the ratio of both sides, and CPU times on a busy machine."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import detector_cost

MACHINE = {"processor": "a processor", "flags": ["avx2"], "cores": 2}


@pytest.mark.parametrize(
    ("load", "row"), [(0.4, "| m | 3.0 s | 2.5 s | 1.20 |"), (3.0, "| m | 5.0 s | 4.0 s | 1.25 |")]
)
def test_the_ratio_is_that_of_the_medians(load: float, row: str) -> None:
    seconds = {
        "detector": {"wall": [9.0, 3.0, 2.0], "cpu": [5.0, 4.0, 8.0]},
        "plain": {"wall": [2.5, 1.0, 7.0], "cpu": [1.0, 9.0, 4.0]},
    }
    report = {"machine": MACHINE, "load": load, "source": "digits", "seeds": [0, 1], "images": 1000}
    text = detector_cost.markdown({**report, "seconds": {"m": seconds}})
    assert row in text
    assert "1,000 files with `cifar10-classify`" in text
    assert "Trainings of each model: 2." in text
    assert "their number: 3." in text
    assert "`data.source: digits`" in text
    assert ("These are CPU times" in text) == (load > 1)


def test_few_test_images_are_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    (tmp_path / "data/processed/test").mkdir(parents=True)
    np.save("data/processed/test/images.npy", images)
    np.save("data/processed/test/labels.npy", np.zeros(3, np.int64))
    monkeypatch.setattr(detector_cost, "IMAGES", 5)
    target = tmp_path / "pictures"
    target.mkdir()
    assert detector_cost.write_pictures(target) == 5
    for index, path in enumerate(sorted(target.iterdir())):
        np.testing.assert_array_equal(Image.open(path), images[index % 3])
