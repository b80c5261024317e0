"""Names in every script: drawn by a font of the system, or numbered with one warning."""

import warnings

import numpy as np
import pytest

from cifar10.predict.figure import FORMATS
from cifar10.report import answer_plots, explanation_plots, fonts, plot_copies, plots

IMAGES = np.zeros((4, 32, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def _forget():
    fonts._warn.cache_clear()


def test_usual_names_need_no_other_font(capsys):
    assert fonts.fallbacks("кошка $x_1$ <b>bold é a|b") == []
    assert fonts.drawable(["кошка", "$x_1$"], "class") == ["кошка", "$x_1$"]
    assert capsys.readouterr().err == ""


def test_a_font_of_the_system_draws_what_is_lacking(monkeypatch):
    # STIX, part of matplotlib, stands for a font of the system: it has letters that DejaVu Sans lacks
    own = fonts._letters(fonts._usual())
    path = dict(fonts._fonts())["STIXGeneral"]
    letter = chr(min(fonts._letters(path) - own - {*range(0x300)}))
    monkeypatch.setattr(fonts, "_fonts", lambda: [("STIXGeneral", path)])
    assert fonts.fallbacks(letter) == ["STIXGeneral"]
    assert fonts.drawable([letter], "class") == [letter]


def test_names_without_a_font_are_numbered_with_one_warning(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(fonts, "_fonts", list)
    names = ["cat", "漢字", "日本語"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib's, about missing glyphs
        for _ in range(2):
            figure = plots.samples(IMAGES, np.arange(4) % 3, names, 0)
            plots.save(figure, tmp_path / "a.png")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "warning: no font here draws these names, figures show numbers: class 1: 漢字, class 2: 日本語;"
    )
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["cat", "class 1", "class 2"]


def test_a_class_has_the_same_number_in_every_figure(monkeypatch, capsys):
    monkeypatch.setattr(fonts, "_fonts", list)
    names = ["cat", "漢字", "日本語"]
    ends = [{"split": "train", "index": index, "class": names[index]} for index in (2, 1)]
    pair = {"kind": "near", "first": ends[0], "second": ends[1]}
    copies = plot_copies.pairs([pair], names, lambda _: (IMAGES, np.arange(4) % 3))
    assert copies.axes[0].get_title() == "near\ntrain 2: class 2\ntrain 1: class 1"
    labels = np.array([2, 1])
    titles = [names[2], "astronaut"]
    none = {"m": np.zeros((2, 0, 0), np.uint8)}
    maps = explanation_plots.saliency(IMAGES[:2], titles, [2, None], none, {"m": labels}, names)
    texts = [text.get_text() for text in maps.axes[0].texts]
    assert [text for text in texts if text in ("class 2", "astronaut")] == ["class 2", "astronaut"]
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_equal_figures_give_equal_bytes(tmp_path, suffix):
    for name in ("a", "b"):
        plots.save(plots.samples(IMAGES, np.arange(4) % 2, ["x", "y"], 0), tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", FORMATS.split())
def test_every_format_is_written(tmp_path, suffix):
    path = tmp_path / f"a.{suffix.upper()}"
    plots.save(answer_plots.answers(IMAGES[:1], ["caf\udce9\n.png"], {}, ["x"]), path)
    assert path.stat().st_size > 1000
