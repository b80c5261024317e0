import shutil
import unicodedata
from pathlib import Path

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


def test_folders_below_a_class_belong_to_it(pictures):
    for place in ("train/cat/2020/may/9.png", "train/cat/1/a.png"):
        (pictures / place).parent.mkdir(parents=True)
        shutil.copy(pictures / "train/cat/0.png", pictures / place)
    (pictures / "test/dog/empty").mkdir()
    found = folder.find(pictures)
    names = [path.relative_to(pictures / "train/cat").as_posix() for path in found.train["cat"]]
    assert names == ["0.png", "1/a.png", "1.png", "2.png", "2020/may/9.png"]
    assert len(found.test["dog"]) == 2


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


def test_pictures_are_left_out_and_the_rest_keeps_its_order(pictures):
    (pictures / "train" / "cat" / "0.png").write_bytes(b"damaged")
    listing = folder.find(pictures, ["train/cat/0.png", "test/dog/1.png"])
    assert listing.excluded == ["train/cat/0.png", "test/dog/1.png"]
    images = folder.read(listing)
    assert images.train_images[:, 5, 5, 1].tolist() == [101, 102, 0, 1, 2]
    assert images.test_labels.tolist() == [0, 0, 1]


def test_the_list_of_unreadable_files_can_be_left_out_as_it_is_printed(pictures):
    for place in ("train/cat/0.png", "test/dog/1.png"):
        (pictures / place).write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"2 unreadable: .* data\.exclude") as error:
        folder.read(folder.find(pictures))
    printed = [line.strip().partition(": ")[0] for line in str(error.value).splitlines()[1:]]
    assert len(folder.find(pictures, printed).excluded) == 2


def test_a_class_that_is_left_out_in_both_splits_is_no_class(pictures):
    for split in ("train", "test"):
        shutil.copytree(pictures / split / "cat", pictures / split / "other")
    listing = folder.find(pictures, ["other/"])
    assert [*listing.train] == [*listing.test] == ["cat", "dog"]
    with pytest.raises(UserError, match=r"test/other not found|train/other not found"):
        folder.find(pictures, ["train/other/"])


def test_both_forms_of_an_accent_are_one_class(pictures):
    for split, form in (("train", "NFC"), ("test", "NFD")):
        (pictures / split / "cat").rename(pictures / split / unicodedata.normalize(form, "café"))
    assert folder.read(folder.find(pictures)).class_names == ["café", "dog"]


@pytest.mark.parametrize("name", ["test", "train", "other", "demo", "node_modules", "NA", "0"])
def test_a_class_may_have_any_of_these_names(pictures, name):
    for split in ("train", "test"):
        (pictures / split / "cat").rename(pictures / split / name)
    assert folder.read(folder.find(pictures)).class_names == sorted(["dog", name])


def test_files_of_systems_and_notebooks_are_skipped(pictures):
    before = folder.find(pictures).paths
    for place in ("train", "test", "train/cat"):
        for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir"):
            (pictures / place / name).mkdir()
            (pictures / place / name / "1.png").write_bytes(b"x")
        for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
            (pictures / place / name).write_bytes(b"x")
    assert folder.find(pictures).paths == before


def test_what_may_surprise_is_told(pictures):
    for split in ("train", "test"):
        shutil.copytree(pictures / split / "cat", pictures / split / "aux")
    (pictures / "Val").mkdir()
    told = folder.notes(pictures, folder.find(pictures))
    assert [text.split(" is not used")[0] for text in told[:1]] == [f"{pictures}/Val"]
    assert told[1:] == ["Windows has no folder called aux"]


@pytest.mark.parametrize("place", ["train/cat", "train", "train/cat/more"])
def test_a_linked_folder_is_refused_with_the_reason(pictures, tmp_path, place):
    if (pictures / place).exists():
        (pictures / place).rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir(exist_ok=True)
    (pictures / place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        UserError, match=f"{place} is a link to a folder, and DVC does not see changes behind"
    ):
        folder.find(pictures)


def test_the_folder_itself_may_be_a_link(pictures, tmp_path):
    (tmp_path / "link").symlink_to(pictures)
    assert folder.find(tmp_path / "link").train.keys() == {"cat", "dog"}


@pytest.mark.parametrize(
    ("arrange", "where", "hint"),
    [
        (lambda root: None, "..", "one level too high: set data.folder to {root}"),
        (lambda root: None, "train", "one level too low: set data.folder to {root}"),
        (lambda root: invert(root), ".", "found train and test inside of cat, dog: put the classes into"),
        (
            lambda root: recase(root),
            ".",
            "rename Test and Train to lower case|rename Train and Test to lower",
        ),
        (lambda root: (root / "test").rename(root / "tests"), ".", "found the folders tests"),
    ],
    ids=["high", "low", "inverted", "case", "other name"],
)
def test_the_right_level_is_named(pictures, arrange, where, hint):
    arrange(pictures)
    with pytest.raises(UserError, match=f"not found; expected .*{hint.format(root=pictures)}"):
        folder.find(pictures if where == "." else pictures.parent if where == ".." else pictures / where)


def invert(root):
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (root / name).mkdir(exist_ok=True)
            (root / split / name).rename(root / name / split)
        (root / split).rmdir()


def recase(root):
    for split in ("train", "test"):
        (root / split).rename(root / split.capitalize())


@pytest.mark.parametrize("folder_name", ["data/pictures", "nowhere"])
def test_an_experiment_without_the_pictures_says_how_to_give_them(tmp_path, monkeypatch, folder_name):
    here = tmp_path / ".dvc/tmp/exps/tmpx"
    (here / "data/pictures").mkdir(parents=True)
    monkeypatch.chdir(here)
    copies = " ".join(f"--copy-paths {folder_name}/{split}" for split in ("train", "test"))
    with pytest.raises(UserError, match=rf"add `{copies}` to `dvc exp run`, or `dvc add`") as error:
        folder.find(Path(folder_name))
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"write data.folder as an absolute"):
        folder.find(Path("../photos"))


def test_many_classes_of_one_picture(tmp_path):
    names = [f"class {number:03}" for number in range(300)]
    for split in ("train", "test"):
        for name in names:
            (tmp_path / split / name).mkdir(parents=True)
            Image.new("L", (32, 32)).save(tmp_path / split / name / "1.png")
    assert folder.read(folder.find(tmp_path)).test_labels.tolist() == [*range(300)]


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
