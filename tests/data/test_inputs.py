"""Folders on the command line: links once, nothing of the system, no file left out without a word."""

import os

import pytest

from cifar10.data import inputs


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    (root / "b").mkdir(parents=True)
    (root / "a.jpg").touch()
    (root / "b" / "c.jpg").touch()
    return root


def found(folder):
    return [os.path.relpath(name, folder) for name in inputs.expand([str(folder)])]


def test_files_of_the_system_and_hidden_ones_are_skipped(folder):
    for name in ("Thumbs.db", "desktop.ini", "Desktop.ini", ".DS_Store", "._a.jpg", "ehthumbs.db", "Icon\r"):
        (folder / name).touch()
    for name in ("__MACOSX", "@eaDir", ".hidden", "$RECYCLE.BIN"):
        (folder / name).mkdir()
        (folder / name / "x.jpg").touch()
    assert found(folder) == ["a.jpg", "b/c.jpg"]
    assert inputs.expand([str(folder / "Thumbs.db")]) == [str(folder / "Thumbs.db")]  # if named


def test_a_linked_folder_is_followed_once(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.jpg").touch()
    for name in ("linked", "twice"):
        (folder / name).symlink_to(tmp_path / "elsewhere")
    (folder / "A-link-to-b").symlink_to("b")  # b is read where it lies
    assert found(folder) == ["a.jpg", "b/c.jpg", "linked/d.jpg"]


def test_loops_end(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (folder / "b" / "up").symlink_to("..")
    (folder / "self").symlink_to("self")
    (folder / "other").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(folder)
    (tmp_path / "other" / "again").symlink_to(".")
    assert found(folder) == ["a.jpg", "b/c.jpg", "self"]  # a link to itself cannot be read, which is said


def test_a_link_to_nothing_is_kept_and_a_device_is_not(folder):
    (folder / "gone.jpg").symlink_to("absent.jpg")
    (folder / "link.jpg").symlink_to("a.jpg")
    os.mkfifo(folder / "pipe")
    assert found(folder) == ["a.jpg", "b/c.jpg", "gone.jpg", "link.jpg"]


def test_other_arguments_stay(folder):
    assert inputs.expand(["-", "absent", str(folder / "b")]) == ["-", "absent", str(folder / "b/c.jpg")]
