"""Layouts of a folder of pictures beside train/ and test/: class folders, a CSV file, groups."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from cifar10.data import folder, layout, splitting
from cifar10.data.layout import Layout
from cifar10.errors import UserError

FRACTION = Layout(test_fraction=0.25)


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """Two class folders of 12 and 8 pictures, half of them in folders below; three pictures per film."""
    root = tmp_path_factory.mktemp("classes")
    for value, (name, count) in enumerate({"dog": 12, "cat": 8}.items()):
        for number in range(count):
            path = root / name / ("deep/er" if number % 2 else ".") / f"film{number // 3}-{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (20, 20), 100 * value + number).save(path)
    (root / "README.md").write_text("beside the classes")
    return root


def names(paths):
    return {path.relative_to(path.parents[-2]).as_posix() for path in paths}


def write(root, text, name="labels.csv"):
    (root / name).write_text(text, encoding="utf-8")
    return Layout(labels=name)


def test_a_fraction_of_each_class_is_drawn_for_testing(classes):
    found = folder.find(classes, settings=FRACTION)
    assert {name: len(paths) for name, paths in found.test.items()} == {"cat": 2, "dog": 3}
    assert {name: len(paths) for name, paths in found.train.items()} == {"cat": 6, "dog": 9}
    assert names(found.paths) == names(classes.glob("*/**/*.png"))
    assert folder.find(classes, settings=FRACTION) == found
    other = folder.find(classes, settings=dataclasses.replace(FRACTION, seed=1))
    assert other.test != found.test
    assert found.train["dog"] == sorted(found.train["dog"], key=lambda path: path.parts)
    out = folder.find(classes, ["cat/deep/"], FRACTION)
    assert len(out.excluded) == 4
    assert sum(map(len, (out.train["cat"], out.test["cat"]))) == 4


def test_all_pictures_of_a_group_are_in_one_split(classes):
    for seed in range(5):
        settings = Layout(test_fraction=0.25, groups=r"film\d+", seed=seed)
        found = folder.find(classes, settings=settings)
        train, test = (
            {path.name.split("-")[0] for paths in part.values() for path in paths}
            for part in (found.train, found.test)
        )
        assert not train & test
        assert {*found.train} == {*found.test} == {"cat", "dog"}
        assert len(found.train_groups) == sum(map(len, found.train.values()))
    whole_class = Layout(test_fraction=0.25, groups=r"(\w+)/.*film")
    with pytest.raises(UserError, match=r"^data\.groups: leaves a class .* a class has 1 group: use smaller"):
        folder.find(classes, settings=whole_class)


def test_validation_divides_no_group():
    random = np.random.default_rng(0)
    groups = random.integers(0, 40, 400)
    labels = (groups + random.integers(0, 2, 400)) % 3  # groups with two classes each
    for seed in range(5):
        train, validation = splitting.split(labels, 0.2, seed, groups)
        assert sorted([*train, *validation]) == [*range(400)]
        assert not {*groups[train]} & {*groups[validation]}
        shares = np.bincount(labels[validation]) / np.bincount(labels)
        assert (np.abs(shares - 0.2) < 0.08).all()
    again = splitting.split(labels, 0.2, 4, groups)
    assert [part.tolist() for part in again] == [train.tolist(), validation.tolist()]


def test_groups_of_one_image_are_drawn_nearly_as_single_images():
    labels = np.repeat([0, 1], [100, 50])
    _, drawn = splitting.split(labels, 0.1, 0, np.arange(150))
    assert np.bincount(labels[drawn]).tolist() == [10, 5]


def test_a_csv_gives_classes_splits_and_groups(classes):
    rows = [
        f"{path.relative_to(classes).as_posix()},{path.relative_to(classes).parts[0].upper()}"
        for path in sorted(classes.glob("*/**/*.png"))
    ]
    given = [f"{row},{'test' if 'film1' in row else 'train'}," for row in rows]
    settings = write(classes, "path,label,split,group\n" + "\n".join(given))
    found = folder.find(classes, settings=settings)
    assert [*found.train] == ["CAT", "DOG"]
    assert all("film1" in path.name for paths in found.test.values() for path in paths)
    assert len(found.paths) == 20
    assert len({*found.train_groups.tolist()}) == 14  # no group is written: each picture is its own
    shuffled = write(classes, "path,label,split,group\n" + "\n".join(given[::-1]), "other.csv")
    assert folder.find(classes, settings=shuffled).paths == found.paths
    drawn = write(
        classes, "﻿label,path\n" + "\n".join(",".join(row.split(",")[::-1]) for row in rows), "two.csv"
    )
    assert len(folder.find(classes, settings=dataclasses.replace(drawn, test_fraction=0.5)).test["CAT"]) == 4


def test_the_settings_of_params_reach_the_images(classes, tmp_path):
    settings = Layout(test_fraction=0.25, groups=r"film\d+")
    read = folder.read(folder.find(classes, settings=settings), (16, 24))
    assert read.train_images.shape == (len(read.train_labels), 16, 24, 3)
    assert len(read.train_groups) == len(read.train_labels)
    one = folder.read(folder.find(classes, settings=settings), (16, 24), workers=1)
    assert one.train_images.tobytes() == read.train_images.tobytes()
    assert one.test_images.tobytes() == read.test_images.tobytes()


GOOD = (
    "cat/film0-0.png,cat,train\ndog/film0-0.png,dog,train\n"
    "cat/film0-2.png,cat,test\ndog/film0-2.png,dog,test\n"
)


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        (
            "path,label\na.png,cat\nb.png,dog\n",
            {},
            r"data\.labels: .*csv: line 2: .*/a\.png not found, and 1 more",
        ),
        ("file,label\n", {}, r"data\.labels: .*csv: no column path; expected path, label, found file, label"),
        ("", {}, r"data\.labels: .*: no column path; expected path, label, found none"),
        ("path,label\n", {}, r"expected a row per picture, found none"),
        (
            "path,label\n../a.png,cat\n",
            {},
            r"line 2: got '\.\./a\.png', expected a path inside of data\.folder",
        ),
        (
            "path,label,label\ncat/film0-0.png,a,b\n",
            {},
            r"csv: found the column label twice: delete or rename one",
        ),
        ("path,label\na.png\n", {}, r"line 2: expected 2 values"),
        ("path,label\ncat/film0-0.png,\n", {}, r"line 2: the label '' is empty"),
        ("path,label,split\ncat/film0-0.png,cat,val\n", {}, r"split: got 'val', expected train or test"),
        (f"path,label,split\n{GOOD}{GOOD[:26]}\n", {}, r"lines 2 and 6 name the same picture"),
        (
            f"path,label,split\n{GOOD}",
            {"test_fraction": 0.5},
            r"data\.test_fraction: must be null: .* column split",
        ),
        (
            "path,label\ncat/film0-0.png,cat\n",
            {},
            r"data\.test_fraction: expected a number: .* no column split",
        ),
        (
            f"path,label,split\n{GOOD[:-25]}",
            {},
            r"data\.labels: .*csv: train and test .* test pictures of dog not found",
        ),
        (
            f"path,label,split\n{GOOD}",
            {"groups": r"film\d"},
            r"data\.groups: pictures of 'film0' are in train and in test",
        ),
        (
            f"path,label,split\n{GOOD}",
            {"groups": r"movie"},
            r"data\.groups: 'movie' matches no path in .*, such as cat/",
        ),
        (
            f"path,label,split,group\n{GOOD}".replace("n\n", "n,1\n").replace("t\n", "t,2\n"),
            {"groups": "f"},
            "column group",
        ),
        (
            "path,label,split\ncat/film0-0.png,cat,train\ncat/film0-2.png,cat,test\n",
            {},
            r"at least two classes .* cat",
        ),
        (
            "path,label\ncat/film0-0.png,cat\ndog/film0-0.png,dog\n",
            {"test_fraction": 0.5},
            r"data\.test_fraction: 0\.5 leaves a class without training or test images, the smallest has 1: "
            r"add images, or choose a fraction nearer to 0\.5$",
        ),
    ],
)
def test_a_fault_of_the_file_is_named_in_one_line(classes, text, change, message):
    settings = dataclasses.replace(write(classes, text, "bad.csv"), **change)
    with pytest.raises(UserError, match=message) as error:
        folder.find(classes, settings=settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Layout(labels="cat"), r"^data\.labels: .*cat not found; expected a CSV file inside of data\.folder"),
        (Layout(labels="cat/film0-0.png/a"), r"^data\.labels: .*a not found; expected a CSV file"),
        (Layout(labels="none.csv"), r"^data\.labels: .*none\.csv not found"),
        (
            Layout(labels="../x.csv"),
            r"^data\.labels: got \.\./x\.csv, expected a path inside of data\.folder",
        ),
        (Layout(labels="cat/film0-0.png"), r"^data\.labels: .* is not a CSV file in UTF-8"),
        (Layout(), r"found the folders cat, dog: if these are classes, set data\.test_fraction"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(classes, settings, message):
    with pytest.raises(UserError, match=message) as error:
        folder.find(classes, settings=settings)
    assert "\n" not in str(error.value)


def test_one_class_one_picture_and_both_layouts_are_refused(tmp_path):
    for place in ("dog/1.png", "train/dog/1.png", "test/dog/1.png"):
        (tmp_path / place).parent.mkdir(parents=True)
        Image.new("L", (20, 20)).save(tmp_path / place)
    with pytest.raises(
        UserError, match=r"^data\.test_fraction: .* has the folders train and test: set it to null"
    ):
        folder.find(tmp_path, settings=FRACTION)
    with pytest.raises(UserError, match=r"at least two classes in .*, found dog"):
        folder.find(tmp_path / "train", settings=FRACTION)
    with pytest.raises(UserError, match=r"no class folders; expected pictures as <class>/\* with data\.test"):
        folder.find(tmp_path / "dog", settings=FRACTION)


def test_ids_follow_the_first_pictures():
    made = [layout.Entry(None, "a", "train", group) for group in ("y", "x", "y")]
    assert layout.ids(made).tolist() == [0, 1, 0]
    assert layout.ids([]) is None
