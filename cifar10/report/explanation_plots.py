"""Figures of what the models looked at: a row per model, in the style of `plots`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar10.evaluation import saliency as saliency_maps
from cifar10.names import shorten
from cifar10.report import fonts
from cifar10.report.placement import framed, within
from cifar10.report.plots import GREY, WIDTH, WRONG_TEXT, styled

GAP = 0.08  # between pictures, in sides of a picture
TEXT = 0.24  # height of the line below a picture
NO_MAP = "no map: no layer keeps the places of the picture"


@dataclass(frozen=True)
class Tile:
    """A picture, uint8 (H, W, 3) or None for an empty place, with a line below; errors have a thick frame."""

    picture: np.ndarray | None
    text: str = ""
    wrong: bool = False


@styled
def saliency(
    images: np.ndarray,
    names: Sequence[str],
    actual: Sequence[int | None],
    maps: Mapping[str, np.ndarray],
    predicted: Mapping[str, np.ndarray],
    class_names: Sequence[str],
) -> Figure:
    """Show images, and below them their saliency map of each model with the predicted class.

    Args:
        images: uint8 (N, H, W, 3).
        names: N texts, above the images.
        actual: N labels, None for an image of no class.
        maps: by model, uint8 (N, h, w); h = w = 0 if it has none.
        predicted: by model, int (N,), the labels that the maps explain.
        class_names: K names.
    """
    drawn = fonts.drawable(class_names, "class")
    short, titles = [shorten(name, 10) for name in drawn], dict(zip(class_names, drawn, strict=True))
    rows: dict[str, list[Tile]] = {"picture": [Tile(image) for image in images]}
    for model, values in maps.items():
        row = []
        for image, own, label, truth in zip(images, values, predicted[model], actual, strict=True):
            wrong = truth is not None and truth != label
            mark = "" if truth is None else "✗ " if wrong else "✓ "
            picture = saliency_maps.overlay(image, own) if own.size else None
            row.append(Tile(picture, f"{mark}{short[label]}", wrong))
        rows[model] = row
    figure, axes = _canvas(rows, len(images))
    for model, values in maps.items():
        if not values[0].size:
            axes.text(0, _top([*rows].index(model)) + 0.5, NO_MAP, fontsize=8, va="center")
    for column, name in enumerate(names):
        text = shorten(titles.get(name, name), 11)
        axes.text(_left(column) + 0.5, -0.05, text, fontsize=7, ha="center", va="bottom")
    axes.set_title("Orange: where a picture raises the score of the predicted class", pad=14)
    return figure


@styled
def nearest(
    images: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    similarity: Mapping[str, np.ndarray],
    class_names: Sequence[str],
) -> Figure:
    """Show the nearest training images of the portrait with their classes and similarities.

    Args:
        images: by model, uint8 (M, H, W, 3).
        labels: by model, int (M,).
        similarity: by model, float (M,).
        class_names: K names.
    """
    short = [shorten(name, 11) for name in fonts.drawable(class_names, "class")]
    rows = {
        model: [
            Tile(image, f"{short[label]} {value:.2f}")
            for image, label, value in zip(each, labels[model], similarity[model], strict=True)
        ]
        for model, each in images.items()
    }
    figure, axes = _canvas(rows, max(map(len, rows.values())))
    axes.set_title("Training images most similar to the portrait, with cosine similarity", pad=4)
    return figure


def _left(column: int) -> float:
    return column * (1 + GAP)


def _top(row: int) -> float:
    return row * (1 + TEXT + GAP)


def _canvas(rows: Mapping[str, Sequence[Tile]], columns: int) -> tuple[Figure, Axes]:
    """Draw rows of pictures, with their names at the left, on one axes: each would take as long as all."""
    side = (WIDTH - 0.4) / _left(columns)
    figure = Figure((WIDTH, 0.6 + side * _top(len(rows))), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    for row, (name, tiles) in enumerate(rows.items()):
        axes.text(-0.08, _top(row) + 0.5, shorten(name, 12), fontsize=8, rotation=90, ha="right", va="center")
        for column, tile in enumerate(tiles):
            _draw(axes, _left(column), _top(row), tile)
    axes.set(xlim=(-0.35, _left(columns)), ylim=(_top(len(rows)) - GAP, -0.05), aspect="equal")
    return figure, axes


def _draw(axes: Axes, left: float, top: float, tile: Tile) -> None:
    if tile.picture is not None:
        extent = within(left, top, tile.picture)
        axes.imshow(tile.picture, interpolation="nearest", extent=extent)
        color, width = ("black", 2.5) if tile.wrong else (GREY, 0.6)
        axes.add_patch(framed(extent, edgecolor=color, linewidth=width))
    color = WRONG_TEXT if tile.wrong else "black"
    axes.text(left + 0.5, top + 1.04, tile.text, fontsize=7, ha="center", va="top", color=color)
