"""Mistakes are selected by loss and confidence, and drawn with classes and probabilities."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cifar10 import paths
from cifar10.report import mistake_plots, mistakes, results
from tests import plausible

NAMES = ["A", "B", "C"]
ACTUAL = np.array([0, 0, 1, 2, 1, 0])
FIRST = np.array(
    [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.09, 0.01, 0.9], [0.55, 0.4, 0.05], [0.2, 0.7, 0.1], [0.3, 0.6, 0.1]]
)
SECOND = np.array(
    [[0.1, 0.7, 0.2], [0.1, 0.0, 0.9], [0.3, 0.3, 0.4], [0.6, 0.39, 0.01], [0.5, 0.4, 0.1], [0.9, 0.1, 0]]
)
IMAGES = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), np.uint8)
FOUND = mistakes.Mistakes(ACTUAL, {"first": FIRST, "second": SECOND})


def test_mistakes_are_sorted_by_loss_and_by_confidence() -> None:
    # first is wrong on 1 (B for A), 2 (C for B), 3 (A for C), 5 (B for A)
    assert FOUND.highest_losses("first").tolist() == [2, 3, 1, 5]
    assert FOUND.most_confident("first").tolist() == [2, 1, 5, 3]
    # second is wrong on 0 (B), 1 (C), 2 (C), 3 (A), 4 (A)
    assert FOUND.highest_losses("second").tolist() == [3, 0, 1, 2, 4]
    assert FOUND.most_confident("second").tolist() == [1, 0, 3, 4, 2]


def test_images_that_all_or_all_but_one_get_wrong() -> None:
    # products of the probabilities of the actual class: 3: 0.05 * 0.01, 2: 0.01 * 0.3, 1: 0.3 * 0.1
    assert FOUND.by_all.tolist() == [3, 2, 1]
    assert {name: images.tolist() for name, images in FOUND.only.items()} == {"first": [0, 4], "second": [5]}
    assert FOUND.misled("first", 0) == "second"


def test_a_probability_of_zero_is_a_high_loss() -> None:
    certain = mistakes.Mistakes(np.array([0, 0]), {"m": np.array([[0.01, 0.99], [0.0, 1.0]])})
    assert certain.by_all.tolist() == certain.highest_losses("m").tolist() == [1, 0]


def texts(name: str) -> list[str]:
    (axes,) = mistake_plots.draw(FOUND, IMAGES, NAMES)[name].axes
    return [text.get_text() for text in axes.texts]


def test_a_model_is_shown_with_its_losses_and_its_confident_mistakes() -> None:
    assert texts("mistakes_first.png")[1:] == [
        *("highest\nlosses", "2: B", "✗ C 90 %", "actual 1 %", "3: C", "✗ A 55 %", "actual 5 %"),
        *("1: A", "✗ B 60 %", "actual 30 %", "5: A", "✗ B 60 %", "actual 30 %"),
        *("most\nconfident\nmistakes", "2: B", "✗ C 90 %", "1: A", "✗ B 60 %", "5: A", "✗ B 60 %"),
        *("3: C", "✗ A 55 %"),
    ]


def test_all_models_are_shown_with_their_answers() -> None:
    assert texts("mistakes_all.png")[1:] == [
        *("all models\nare wrong:\n3 images", "first", "second"),
        *("3: C", "✗ A 55 %", "✗ A 60 %", "2: B", "✗ C 90 %", "✗ C 40 %", "1: A", "✗ B 60 %", "✗ C 90 %"),
        *("only\nfirst\nis right:\n2 images", "0: A", "✓ A 80 %", "✗ B 70 %", "4: B", "✓ B 70 %", "✗ A 50 %"),
        *("only\nsecond\nis right:\n1 image", "5: A", "✓ A 90 %", "✗ B 60 %"),
    ]


def test_the_pictures_are_those_of_the_numbers() -> None:
    (axes,) = mistake_plots.draw(FOUND, IMAGES, NAMES)["mistakes_second.png"].axes
    for strip, order in zip(axes.images, ([3, 0, 1, 2, 4], [1, 0, 3, 4, 2]), strict=True):
        pixels = np.asarray(strip.get_array())
        left, right, below, top = strip.get_extent()
        for frame, index in zip(axes.patches, order, strict=False):
            # the frame of the column, in pixels of the strip
            start = round((frame.get_x() - left) / (right - left) * pixels.shape[1])
            np.testing.assert_array_equal(pixels[:, start : start + 32], IMAGES[index])
        assert below > top  # the axis points down, as rows of pixels do


def test_a_model_without_mistakes_and_a_single_model_have_no_figure() -> None:
    right = np.eye(3)[ACTUAL]
    assert mistake_plots.draw(mistakes.Mistakes(ACTUAL, {"m": right}), IMAGES, NAMES) == {}
    assert [*mistake_plots.draw(mistakes.Mistakes(ACTUAL, {"m": FIRST}), IMAGES, NAMES)] == ["mistakes_m.png"]
    both = mistakes.Mistakes(ACTUAL, {"m": right, "n": FIRST})
    assert [*mistake_plots.draw(both, IMAGES, NAMES)] == ["mistakes_n.png", "mistakes_all.png"]
    assert [*mistake_plots.draw(mistakes.Mistakes(ACTUAL, {"m": right, "n": right}), IMAGES, NAMES)] == []


def test_the_numbers_are_those_of_the_mean_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skills = {"model_0": 3.0, "model_1": 2.0, "model_2": 1.0}
    monkeypatch.chdir(plausible.write(tmp_path, images=300, skills=skills, seeds=[0, 4]))
    told = mistakes.describe(results.load([*skills], [0, 4]))
    wrong, most = {}, {}
    for name in skills:
        tables = [pd.read_csv(paths.predictions(name, seed)) for seed in (0, 4)]
        mean = sum(table.filter(like="probability_") for table in tables) / 2
        guess = mean.idxmax(axis=1).str.removeprefix("probability_")
        wrong[name] = guess != tables[0]["actual"]
        first = mean.max(axis=1)[wrong[name]].idxmax()
        most[name] = f"{tables[0]['actual'][first]} as {guess[first]} ({100 * mean.max(axis=1)[first]:.0f} %)"
    table = pd.DataFrame(wrong)
    assert told["count"] == table.sum().to_dict()
    assert told["all"] == table.all(axis=1).sum()
    assert told["only"] == {name: (table.sum(axis=1).eq(2) & ~table[name]).sum() for name in skills}
    assert told["all"] > 0 < min(told["only"].values())
    assert {name: text.split(",")[0] for name, text in told["alt"].items()} == most


@pytest.mark.parametrize("shape", [(64, 40), (40, 64), (32, 32)])
def test_rows_of_pictures_of_any_shape_do_not_overlap(shape: tuple[int, int]) -> None:
    for figure in mistake_plots.draw(FOUND, np.zeros((6, *shape, 3), np.uint8), NAMES).values():
        (axes,) = figure.axes
        edges = [
            place for image in axes.images for place in image.get_extent()[:1:-1]
        ]  # top, bottom of each row
        assert edges == sorted(edges)
        texts = sorted(text.get_position()[1] for text in axes.texts)
        assert texts[-1] < axes.get_ylim()[0]
        for image in axes.images:  # no text on a picture but the heading at the left
            _, _, bottom, top = image.get_extent()
            assert not [place for place in texts if top < place < bottom]
            assert (bottom - top) / shape[0] * shape[1] == pytest.approx(axes.patches[0].get_width())
