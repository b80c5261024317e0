import importlib.util
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import skimage
from PIL import Image
from sklearn.datasets import load_sample_image

from cifar10 import files, params, paths
from cifar10.data import ood_datasets
from cifar10.evaluation import ood_images


@pytest.fixture(scope="module")
def sets():
    return ood_datasets.make("cifar10")


def test_ood_datasets_are_deterministic_and_leave_out_the_data(sets):
    assert [*sets] == ["digits", "faces", "photographs", "textures", "noise", "cifar100", "clothes"]
    again = ood_datasets.make("digits")
    assert [*again] == ["faces", "photographs", "textures", "noise", "cifar100", "clothes"]
    for name, images in sets.items():
        assert images.dtype == np.uint8
        assert images.shape[1:] == (32, 32, 3)
        assert len(images) >= (19 if name in ood_datasets.SMALL else 100)
        np.testing.assert_array_equal(again.get(name, images), images)


def test_ood_datasets_have_the_size_of_the_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ood_datasets, "MOST", 24 * 40 * 3 * 120)
    ood_datasets.save("folder", size=(24, 40))
    assert ood_images.person().shape == (24, 40, 3)
    counts = {"digits": 1797, "faces": 100, "photographs": 9 * 10, "textures": 3 * 10, "noise": 120}
    counts |= {"cifar100": 19, "clothes": 20}
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
    assert [*found] == ["digits", "faces", "textures", "noise", "cifar100", "clothes"]
    for name, images in found.items():
        np.testing.assert_array_equal(images, sets[name])
    recorded = ood_datasets.crops_by_picture()
    assert files.read_json(paths.OOD_PICTURES) == {"textures": recorded["textures"]}


def test_the_small_pictures_are_those_of_the_packages_samples(sets):
    """The order and the labels are those of `foolbox.samples`; CIFAR-100 has 40 for a lamp."""
    folder = Path(importlib.util.find_spec("foolbox").origin).with_name("data")
    lamp = 14
    files = [*folder.glob("cifar100_*")]
    for place, image in zip([i for i in range(20) if i != lamp], sets["cifar100"], strict=True):
        (file,) = [file for file in files if file.name.startswith(f"cifar100_{place:02d}_")]
        np.testing.assert_array_equal(image, Image.open(file))  # not scaled
    assert (folder / "cifar100_14_40.png").exists()
    shirt = Image.open(folder / "fashionMNIST_19_0.png")
    assert shirt.size == (28, 28)
    assert abs(sets["clothes"][19].mean() - np.mean(shirt)) < 1
    assert (sets["clothes"] == sets["clothes"][..., :1]).all()  # grey


def test_without_foolbox_its_datasets_are_left_out_with_a_line(sets, monkeypatch, capsys):
    monkeypatch.setattr(ood_datasets, "FOOLBOX", "a_package_that_nobody_has")
    monkeypatch.setattr(ood_datasets, "MOST", 32 * 32 * 3 * 12)  # one crop of a picture
    found = ood_datasets.make("cifar10")
    assert [*found] == ["digits", "faces", "photographs", "textures", "noise"]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("OOD datasets without cifar100 and clothes: ")


def test_the_recorded_pictures_are_those_of_the_crops(sets):
    """Draw the boxes again, and cut the first and the last crop out of each recorded picture."""
    random, recorded = np.random.default_rng(0), ood_datasets.crops_by_picture()
    assert [*recorded] == ["photographs", "textures"]
    for dataset, counts in recorded.items():
        assert sum(counts.values()) == len(sets[dataset])
        crops = iter(sets[dataset])
        for name, count in counts.items():
            picture = opened(name)
            for number in range(count):
                side = random.integers(96, min(picture.size) + 1)
                left, top = (random.integers(0, length - side + 1) for length in picture.size)
                crop = next(crops)
                if number in (0, count - 1):
                    box = (left, top, left + side, top + side)
                    again = picture.resize((32, 32), box=box, reducing_gap=3.0)
                    np.testing.assert_array_equal(again, crop)


def opened(name):
    """Open a picture of scikit-image's or scikit-learn's package; china.jpg without the boats."""
    shipped = Path(skimage.__file__).parent / "data" / name
    if shipped.exists():
        return Image.open(shipped).convert("RGB")
    sample = Image.fromarray(load_sample_image(name))
    return sample.crop((0, 0, 330, 427)) if name == "china.jpg" else sample
