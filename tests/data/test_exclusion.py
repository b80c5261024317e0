import unicodedata
from pathlib import Path

import pytest

from cifar10.data.exclusion import Exclusion
from cifar10.errors import UserError

FOLDER = Path("data/pictures")
FILES = ["train/cat/1.png", "train/cat/2.gif", "train/dog/1.png", "test/cat/1.png", "test/dog/a[1].png"]


def left_out(*entries, files=FILES):
    exclusion = Exclusion(entries, FOLDER)
    found = [name for name in files if exclusion.covers(Path(name))]
    exclusion.check_used(FOLDER)
    return found


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], []),
        (["train/cat/1.png"], FILES[:1]),
        (["./train/cat/1.png"], FILES[:1]),
        (["data/pictures/train/cat/1.png"], FILES[:1]),  # as an error shows it
        (["test/dog/a[1].png"], FILES[4:]),  # as a path, though brackets belong to patterns
        (["*.gif"], FILES[1:2]),
        (["*.gif", "train/cat/"], FILES[:2]),  # one entry covers the other
        (["train/"], FILES[:3]),
        (["/test/*/1.png"], FILES[3:4]),
        (["cat/"], [FILES[0], FILES[1], FILES[3]]),
        (["**/cat/*", "!1.png"], FILES[1:2]),
    ],
)
def test_paths_and_patterns(entries, expected):
    assert left_out(*entries) == expected


def test_both_forms_of_an_accent_agree():
    composed, apart = (unicodedata.normalize(form, "train/é/1.png") for form in ("NFC", "NFD"))
    assert left_out(composed, files=[apart]) == [apart]
    assert left_out(apart, files=[composed]) == [composed]


def test_an_entry_without_effect_is_named():
    with pytest.raises(
        UserError, match=r"data.exclude: no picture in data/pictures matches 'train/cta/1.png';"
    ):
        left_out("train/cta/1.png", "*.gif")
