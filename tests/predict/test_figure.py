import os

import matplotlib.backends.backend_agg as agg
import pytest

from cifar10.errors import UserError
from cifar10.predict import figure


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "in.png"
    path.touch()
    return path


@pytest.mark.parametrize("suffix", figure.FORMATS.split())
def test_formats_are_taken_in_any_case_also_in_a_new_folder(picture, suffix):
    for name in (f"a.{suffix}", f"new/b.{suffix.upper()}", f"a.b.{suffix}"):
        figure.check(str(picture.parent / name), [str(picture)])


def test_the_formats_are_those_of_matplotlib_but_pgf():
    assert {*figure.FORMATS.split()} == {*agg.FigureCanvasAgg.get_supported_filetypes()} - {"pgf"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.xyz", r"has the suffix '\.xyz', expected one of avif, eps, .* as in answers\.png"),
        ("a.pgf", "suffix"),
        ("a", "has no suffix"),
        (".png", "has no suffix"),
        ("", "is a folder"),
        ("in.png/a.png", "in.png is not a folder"),
        ("in.png", "is one of the pictures and would be overwritten"),
        ("../{}/in.png", "would be overwritten"),
        ("link.png", "would be overwritten"),
        ("hard.png", "would be overwritten"),
        ("absent.png", "would be overwritten"),
    ],
)
def test_others_are_refused_in_one_line(picture, name, words):
    folder = picture.parent
    (folder / "link.png").symlink_to("in.png")
    os.link(picture, folder / "hard.png")
    with pytest.raises(UserError, match=f"^--figure: .*{words}") as error:
        figure.check(str(folder / name.format(folder.name)), [str(picture), str(folder / "absent.png"), "-"])
    assert "\n" not in str(error.value)
