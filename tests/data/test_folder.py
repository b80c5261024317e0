import shutil

import numpy as np
import pytest
from PIL import Image

from cifar10.data import folder
from cifar10.errors import UserError


@pytest.fixture
def pictures(tmp_path):
    """Write two classes with three training and two test pictures each, every picture of one grey value."""
    root = tmp_path / "pictures"
    for split, count in (("train", 3), ("test", 2)):
        for index, name in enumerate(("dog", "cat")):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                Image.new("L", (40, 30), 100 * index + number).save(root / split / name / f"{number}.png")
    return root


def test_classes_and_pictures_come_in_the_order_of_their_names(pictures):
    (pictures / "train" / ".DS_Store").write_bytes(b"hidden")
    (pictures / "train" / "__MACOSX").mkdir()
    (pictures / "test" / "dog" / "Thumbs.db").write_bytes(b"of a system")
    (pictures / "train" / "cat" / ".hidden.png").write_bytes(b"hidden")
    (pictures / "README.md").write_text("beside the splits")
    images = folder.read(folder.find(pictures))
    assert images.class_names == ["cat", "dog"]
    assert images.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.test_labels.tolist() == [0, 0, 1, 1]
    assert images.train_images.shape == (6, 32, 32, 3)
    assert images.train_images[:, 5, 5, 1].tolist() == [100, 101, 102, 0, 1, 2]
    assert images.test_images[:, 9, 9, 2].tolist() == [100, 101, 0, 1]
    assert images.train_images.dtype == images.test_images.dtype == np.uint8
    assert images.train_labels.dtype == images.test_labels.dtype == np.int64


def test_all_unreadable_files_are_listed_in_one_error(pictures):
    (pictures / "train" / "cat" / "empty.jpg").write_bytes(b"")
    (pictures / "test" / "dog" / "notes.txt").write_text("no picture")
    with pytest.raises(UserError) as error:
        folder.read(folder.find(pictures))
    first, *lines = str(error.value).splitlines()
    assert "2 unreadable" in first
    assert lines == [
        f"  {pictures}/train/cat/empty.jpg: the file is empty",
        f"  {pictures}/test/dog/notes.txt: not a picture in a known format",
    ]


def test_classes_must_be_the_same(pictures):
    (pictures / "test" / "dog").rename(pictures / "test" / "dogs")
    with pytest.raises(UserError) as error:
        folder.find(pictures)
    assert f"{pictures}/test/dog not found, {pictures}/train/dogs not found" in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "is not a folder; expected pictures as train/<class>/*"),
        (lambda root: shutil.rmtree(root / "test"), "test not found; expected pictures as train/<class>/*"),
        (lambda root: [shutil.rmtree(path) for path in root.glob("train/*")], "train is empty"),
        (lambda root: [path.unlink() for path in root.glob("test/cat/*")], "no pictures in .*test/cat"),
        (lambda root: (root / "train" / "stray.png").touch(), r"train/stray\.png is not a folder"),
        (lambda root: (root / "train" / "cat" / "more").mkdir(), "train/cat/more is not a file"),
        (
            lambda root: [shutil.rmtree(path) for path in root.glob("*/cat")],
            "at least two classes .* found dog",
        ),
        (lambda root: [path.rename(path.with_name("c\nd")) for path in root.glob("*/cat")], "unprintable"),
    ],
)
def test_another_layout_is_explained(pictures, change, message):
    change(pictures)
    with pytest.raises(UserError, match=f"^data.folder: .*{message}"):
        folder.find(pictures)
