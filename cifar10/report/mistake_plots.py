"""Figures of mistakes: rows of test images with actual class, predicted class and probability."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cifar10.names import shorten
from cifar10.report import fonts
from cifar10.report.mistakes import SHOWN, Mistakes, has_figure
from cifar10.report.plots import GAP, GREY, WIDTH, WRONG_TEXT, styled

MODELS = 8  # maximum number of models in the figure of all models
MARGIN = 0.85  # inches, at the left, for the names of the rows
LINE = 0.145  # inches, height of a line of text
HEAD = 0.25  # inches, height of the title
SMALL = 7.5  # points, of the texts around a picture
LETTERS = 11  # of a model name at the left


@dataclass(frozen=True)
class Tile:
    """A picture, uint8 (H, W, 3), with a text above and lines below, in the colour of errors or in black."""

    picture: np.ndarray
    above: str
    below: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class Row:
    """Pictures, with a heading at their left and a name at the left of each line below them."""

    heading: str
    tiles: Sequence[Tile]
    names: Sequence[str] = ()


def draw(mistakes: Mistakes, images: np.ndarray, class_names: Sequence[str]) -> dict[str, Figure]:
    """Draw a figure of each model with mistakes, and one of all models, by file name.

    Args:
        mistakes: of the N test images.
        images: uint8 (N, H, W, 3).
        class_names: K names.
    """
    figures = {
        f"mistakes_{name}.png": of_model(mistakes, name, images, class_names)
        for name, wrong in zip(mistakes.predicted, mistakes.wrong, strict=True)
        if wrong.any()
    }
    if has_figure(mistakes):
        figures["mistakes_all.png"] = of_all(mistakes, images, class_names)
    return figures


@styled
def of_model(mistakes: Mistakes, name: str, images: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Show the highest losses of a model, and its most confident wrong answers."""
    answer = _answers(mistakes, class_names)
    above = _numbered(mistakes, class_names)
    losses = [
        Tile(
            images[index],
            above(index),
            [answer(name, index), (f"actual {_small(mistakes.of_actual[name][index])}", False)],
        )
        for index in mistakes.highest_losses(name)[:SHOWN]
    ]
    confident = [
        Tile(images[index], above(index), [answer(name, index)])
        for index in mistakes.most_confident(name)[:SHOWN]
    ]
    rows = [Row("highest\nlosses", losses), Row("most\nconfident\nmistakes", confident)]
    return _figure(f"{shorten(name, 40)}: mistakes on test images", rows)


@styled
def of_all(mistakes: Mistakes, images: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Show images that all models get wrong, and images that only one of them gets right."""
    answer = _answers(mistakes, class_names)
    above = _numbered(mistakes, class_names)
    models = [*mistakes.predicted][:MODELS]
    rows = []
    if len(mistakes.by_all):
        shared = [
            Tile(images[index], above(index), [answer(name, index) for name in models])
            for index in mistakes.by_all[:SHOWN]
        ]
        heading = f"all models\nare wrong:\n{_counted(len(mistakes.by_all))}"
        rows.append(Row(heading, shared, [shorten(name, LETTERS) for name in models]))
    for name in models:
        alone = mistakes.only[name]
        tiles = [
            Tile(
                images[index],
                above(index),
                [answer(name, index), answer(mistakes.misled(name, index), index)],
            )
            for index in alone[:SHOWN]
        ]
        if tiles:
            rows.append(Row(f"only\n{shorten(name, LETTERS)}\nis right:\n{_counted(len(alone))}", tiles))
    return _figure("Mistakes of all models", rows)


def _answers(mistakes: Mistakes, class_names: Sequence[str]) -> Callable[[str, int], tuple[str, bool]]:
    """Return a function that writes a model's answer to an image, and tells whether it is wrong."""
    short = [shorten(name, 10) for name in fonts.drawable(class_names, "class")]

    def answer(name: str, index: int) -> tuple[str, bool]:
        label = mistakes.predicted[name][index]
        wrong = bool(label != mistakes.actual[index])
        return f"{'✗' if wrong else '✓'} {short[label]} {100 * mistakes.confidence[name][index]:.0f} %", wrong

    return answer


def _numbered(mistakes: Mistakes, class_names: Sequence[str]) -> Callable[[int], str]:
    """Return a function that writes the number and the actual class of an image."""
    short = [shorten(name, 12) for name in fonts.drawable(class_names, "class")]
    return lambda index: f"{index}: {short[mistakes.actual[index]]}"


def _small(share: float) -> str:
    return f"{100 * share:.2g} %" if share >= 1e-5 else "< 0.001 %"


def _counted(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _figure(title: str, rows: Sequence[Row]) -> Figure:
    """Draw rows on one axes whose unit is an inch: no layout is computed."""
    pitch = (WIDTH - MARGIN) / SHOWN
    heights = [
        pitch * row.tiles[0].picture.shape[0] / row.tiles[0].picture.shape[1]
        + LINE * (1.9 + max(len(tile.below) for tile in row.tiles))
        for row in rows
    ]
    figure = Figure((WIDTH, HEAD + sum(heights)))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(HEAD + sum(heights), 0))
    axes.set_axis_off()
    axes.text(WIDTH / 2, HEAD / 2, title, fontsize=11, fontweight="bold", ha="center", va="center")
    top = HEAD
    for row, height in zip(rows, heights, strict=True):
        _row(axes, top + 1.2 * LINE, pitch, row)
        top += height
    return figure


def _row(axes: Axes, top: float, pitch: float, row: Row) -> None:
    """Draw the pictures as one, which takes less time, and the texts around them."""
    height, width = row.tiles[0].picture.shape[:2]
    strip = np.full((height, len(row.tiles) * (width + GAP), 3), 255, np.uint8)
    side = pitch * width / (width + GAP)
    below = top + side * height / width
    axes.text(MARGIN - 0.1, top, row.heading, fontsize=8, ha="right", va="top")
    for line, name in enumerate(row.names):
        axes.text(MARGIN - 0.1, below + LINE * line + 0.03, name, fontsize=SMALL, ha="right", va="top")
    for column, tile in enumerate(row.tiles):
        strip[:, column * (width + GAP) :][:, :width] = tile.picture
        left = MARGIN + column * pitch
        axes.add_patch(Rectangle((left, top), side, below - top, fill=False, edgecolor=GREY, linewidth=0.6))
        axes.text(left + side / 2, top - 0.03, tile.above, fontsize=SMALL, ha="center", va="bottom")
        for line, (text, wrong) in enumerate(tile.below):
            place, color = (left + side / 2, below + LINE * line + 0.03), WRONG_TEXT if wrong else "black"
            axes.text(*place, text, fontsize=SMALL, ha="center", va="top", color=color)
    extent = (MARGIN, MARGIN + len(row.tiles) * pitch, below, top)
    axes.imshow(strip, interpolation="nearest", extent=extent, aspect="auto")
