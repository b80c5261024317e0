"""What `make repro` checks before DVC runs, and what `preprocess` records of pictures that are left out."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar10 import params, paths
from cifar10.data import ood_datasets, preparation
from cifar10.errors import UserError
from cifar10.evaluation import ood_images
from stages import preprocess
from tests import scratch


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Write two classes of four training pictures and two test pictures, and select them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["preprocess.py"])
    root = Path("data/pictures")
    for split, count in (("train", 4), ("test", 2)):
        for name in ("bat", "owl"):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (32, 32), (number, 0, 0)).save(root / split / name / f"{number}.png")
    choose()
    return root


def choose(**data):
    scratch.write_params(Path(), source="folder", validation_fraction=0.5, **data)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_dvc_cannot_store_is_named_before_dvc_runs(pictures):
    assert preparation.needs_download(params.load()) is False
    os.close(os.open(os.fsencode(pictures / "train/bat") + b"/caf\xe9.png", os.O_CREAT))
    with pytest.raises(UserError, match=r"train/bat/caf\\xe9\.png: the name is not UTF-8: rename it"):
        preparation.needs_download(params.load())


def test_pictures_that_are_left_out_and_groups_are_recorded(pictures, monkeypatch):
    monkeypatch.setattr(ood_datasets, "MOST", 32 * 32 * 3 * 12)  # one crop of a picture
    (pictures / "test/owl/1.png").write_bytes(b"damaged")
    with pytest.raises(UserError, match="1 unreadable"):
        preprocess.main()
    groups = r"(train/\w+)/[12]"  # of the three pictures of a class, the third is drawn for validation
    choose(exclude=["test/owl/1.png", "train/*/0.png"], ood_exclude=["faces", "person"], groups=groups)
    preprocess.main()
    assert np.load(paths.GROUPS).tolist() == [0, 0, 2, 2]
    assert json.loads(paths.EXCLUDED.read_text()) == ["train/bat/0.png", "train/owl/0.png", "test/owl/1.png"]
    assert ood_images.person() is None
    assert "faces" not in ood_images.load()
    assert json.loads(paths.CLASSES.read_text()) == ["bat", "owl"]
    (pictures / "test/owl/1.png").unlink()
    choose()
    preprocess.main()
    assert not paths.EXCLUDED.exists()
    assert not paths.GROUPS.exists()


def test_a_dataset_that_does_not_exist_cannot_be_left_out(pictures):
    choose(ood_exclude=["cats"])
    with pytest.raises(UserError, match=r"data\.ood_exclude\.0: got 'cats', expected 'digits', 'faces'"):
        params.load()
