import json
from functools import partial

import numpy as np
import pytest
from PIL import Image

from tests import archives, scratch

pytestmark = pytest.mark.usefixtures("dvc")  # starts the server of warm programs

run = partial(scratch.run, "preprocess")


def splits_of(folder):
    """Read the outputs of the stage, without the library."""
    processed = folder / "data" / "processed"
    return {
        path.parent.name: (np.load(path), np.load(path.with_name("labels.npy")))
        for path in processed.glob("*/images.npy")
    }


def bytes_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("data/processed/**/*")) if path.is_file()}


def test_an_archive_becomes_three_splits_and_the_same_bytes_again(tmp_path):
    scratch.write_params(tmp_path)
    archives.write(tmp_path / "data" / "raw" / "cifar-10-python.tar.gz", archives.small(40))
    result = run(tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "data/processed: 180 training, 20 validation, 40 test images of 10 classes\n"
    splits = splits_of(tmp_path)
    sizes = {"train": 18, "validation": 2, "test": 4}
    for name, (images, labels) in splits.items():
        assert images.dtype == np.uint8
        assert labels.dtype == np.int64
        assert images.shape == (10 * sizes[name], 32, 32, 3)
        assert np.bincount(labels).tolist() == [sizes[name]] * 10
    drawn = np.concatenate([archives.pictures(40, seed)[0] for seed in range(5)])
    known = {image.tobytes(): index for index, image in enumerate(drawn)}
    order = [[known[image.tobytes()] for image in splits[name][0]] for name in ("train", "validation")]
    assert order == [sorted(part) for part in order]
    assert sorted(order[0] + order[1]) == list(range(200))
    assert np.array_equal(splits["test"][0], archives.pictures(40, 5)[0])
    assert json.loads((tmp_path / "data" / "processed" / "classes.json").read_text()) == archives.NAMES
    before = bytes_of(tmp_path)
    assert run(tmp_path).returncode == 0
    assert bytes_of(tmp_path) == before


def test_fraction_0_gives_an_empty_validation_split(tmp_path):
    scratch.write_params(tmp_path, source="digits", validation_fraction=0)
    result = run(tmp_path)
    assert result.returncode == 0, result.stderr
    splits = splits_of(tmp_path)
    assert splits["validation"][0].shape == (0, 32, 32, 3)
    assert len(splits["train"][0]) + len(splits["test"][0]) == 1797


def test_folders_of_pictures_go_through(tmp_path):
    scratch.write_params(tmp_path, source="folder", validation_fraction=0.25)
    for split, count in (("train", 4), ("test", 1)):
        for name in ("owl", "bat"):
            for number in range(count):
                path = tmp_path / "data" / "pictures" / split / name / f"{number}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (60, 50), (number, 2, 3)).save(path)
    assert scratch.run("download", tmp_path).returncode == 0
    assert json.loads((tmp_path / "data" / "raw" / "source.json").read_text()) == {"source": "folder"}
    assert run(tmp_path).returncode == 0
    splits = splits_of(tmp_path)
    assert {name: labels.tolist() for name, (_, labels) in splits.items()} == {
        "train": [0, 0, 0, 1, 1, 1],
        "validation": [0, 1],
        "test": [0, 1],
    }
    assert json.loads((tmp_path / "data" / "processed" / "classes.json").read_text()) == ["bat", "owl"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "data/raw/cifar-10-python.tar.gz not found: run `dvc repro` to download it"),
        (
            {"source": "digits", "validation_fraction": 0.001},
            "data.validation_fraction: 0.001 leaves a class",
        ),
    ],
    ids=["no archive", "too few"],
)
def test_errors_are_one_line(tmp_path, data, message):
    scratch.write_params(tmp_path, **data)
    result = run(tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_help(tmp_path):
    assert "data/processed" in run(tmp_path, "--help").stdout
