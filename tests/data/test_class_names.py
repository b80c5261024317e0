"""Names of classes: NFC, no name that reads like another, hints for names that almost agree."""

import unicodedata
from pathlib import Path

import pytest

from cifar10.data import class_names
from cifar10.errors import UserError
from cifar10.evaluation import predictions

SPLIT = Path("pictures/train")
ROOT = Path("pictures")


@pytest.mark.parametrize(
    "name", ["café", "Å", "ガ", "한국", "n\u0303", "漢字", "$x_1$", "a|b", "a\u2215b", "con", "x."]
)
def test_both_forms_of_a_name_are_one_class(name):
    forms = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    assert {class_names.of(SPLIT / form) for form in forms} == {unicodedata.normalize("NFC", name)}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a\nb", "unprintable"),
        ("a\x1b[2J", "unprintable"),
        ("a\u200bb", "unprintable"),  # no width
        ("a\u202eb", "unprintable"),  # right to left
        ("a\u00a0b", "unprintable"),  # a space that does not break
        ("caf\udce9", "unprintable"),
        (" cat", "space"),
        ("cat ", "space"),
        ("None of These", "answer for pictures of no class"),
    ],
)
def test_a_name_that_misleads_is_refused(name, message):
    with pytest.raises(UserError, match=message) as error:
        class_names.of(SPLIT / name)
    assert str(error.value).isprintable()


def test_the_answer_for_no_class_is_that_of_the_predictions():
    assert predictions.NONE == class_names.NONE


def test_two_folders_of_one_name_are_refused():
    folders = [SPLIT / unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    with pytest.raises(UserError, match=r"two folders have the class name é, .*merge them"):
        class_names.by_name(folders)


def test_classes_are_sorted_by_their_composed_name():
    folders = [SPLIT / unicodedata.normalize("NFD", name) for name in ("é", "f", "e")]
    assert [*class_names.by_name(folders)] == ["e", "f", "é"]
    assert [*class_names.by_name(folders).values()] == [folders[2], folders[1], folders[0]]


@pytest.mark.parametrize("other", ["Cat", "\uff43\uff41\uff54", "c at"])
def test_a_name_that_almost_agrees_is_named(other):
    with pytest.raises(UserError, match=rf"test/cat not found \({other} differs in case, width or spaces\)"):
        class_names.check_same(["cat", "dog"], [other, "dog"], ROOT)


def test_names_that_another_system_cannot_have_are_told():
    names = ["cat", "Cat", "nul", "COM1.x", "a:b", "end.", "dog"]
    assert class_names.unportable(names) == [
        "macOS and Windows do not distinguish cat and Cat",
        *(f"Windows has no folder called {name}" for name in ("nul", "COM1.x", "a:b", "end.")),
    ]


def test_own_classes_are_told_from_known_ones():
    assert not class_names.are_own(class_names.CIFAR10)
    assert not class_names.are_own(class_names.DIGITS)
    assert class_names.are_own([*class_names.CIFAR10[:9], "person"])
