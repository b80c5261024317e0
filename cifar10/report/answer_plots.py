"""The figure of `cifar10-classify`: new images, the answers of each model, and saliency maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar10.evaluation.predictions import Answers
from cifar10.evaluation.saliency import overlay
from cifar10.names import shorten
from cifar10.report import fonts
from cifar10.report.plots import WIDTH, WRONG_TEXT, styled, styles

DRAWN = 50  # maximum number of images in one figure


@styled
def answers(
    images: np.ndarray,
    names: Sequence[str],
    found: Mapping[str, Answers],
    class_names: Sequence[str],
    maps: Mapping[str, np.ndarray | None] | None = None,
) -> Figure:
    """Show images as the models see them, with bars of the most probable classes: a row per image.

    With saliency maps, the picture of the map is left of the bars of its model.

    Args:
        images: uint8 (N, H, W, 3); only the first DRAWN are drawn.
        names: of the N images.
        found: answers by model.
        class_names: K names.
        maps: by model, uint8 (N, h, w) saliency maps of the most probable class; None if the model has none.
    """
    rows = min(len(images), DRAWN)
    titles = fonts.drawable([Path(name).name for name in names[:rows]], "image")
    class_names = fonts.drawable(class_names, "class")
    cells = [1.25] if maps is None else [1.0, 1.25]  # widths of the columns of a model
    wide = (1 + sum(cells) * len(found)) / (1 + 1.25 * len(found))
    figure = Figure((WIDTH * wide, 0.4 + 1.5 * rows), layout="constrained")
    shares = {"width_ratios": [1, *cells * len(found)]}
    grid = figure.subplots(rows, 1 + len(cells) * len(found), squeeze=False, gridspec_kw=shares)
    for index, (image, name, row) in enumerate(zip(images, titles, grid, strict=False)):
        _picture(row[0], image, shorten(name, 18))
        for place, model in enumerate(found if maps else ()):
            own = maps[model] if maps else None
            _picture(row[1 + 2 * place], None if own is None else overlay(image, own[index]), "saliency")
        for axes, (model, style) in zip(row[len(cells) :: len(cells)], styles([*found]).items(), strict=True):
            _answer(axes, found[model], index, class_names, style.color)
            verdict = "" if found[model].is_id[index] else ": none of these"
            color = "black" if found[model].is_id[index] else WRONG_TEXT
            axes.set_title(f"{shorten(model, 14)}{verdict}", fontsize=8, fontweight="normal", color=color)
    if len(images) > rows:
        figure.suptitle(f"The first {rows} of {len(images):,} images")
    return figure


def _picture(axes: Axes, picture: np.ndarray | None, title: str) -> None:
    """Show a picture without axes; words in its place if there is none."""
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.set_title(title, fontsize=8, fontweight="normal")
    if picture is None:
        axes.text(0.5, 0.5, "no map", ha="center", va="center", fontsize=8)
    else:
        axes.imshow(picture, interpolation="nearest")


def _answer(axes: Axes, found: Answers, index: int, class_names: Sequence[str], color: str) -> None:
    """Draw the most probable classes of an image as bars with names inside."""
    top = found.top(index)
    probabilities = found.probabilities[index, top]
    axes.barh(range(len(top)), probabilities, color=color, alpha=0.35, height=0.8)
    for place, (label, probability) in enumerate(zip(top, probabilities, strict=True)):
        text = f"{shorten(class_names[label], 16)} {100 * probability:.0f} %"
        axes.text(0.03, place, text, va="center", fontsize=8)
    axes.set(xlim=(0, 1), ylim=(2.6, -0.6), xticks=[], yticks=[])
    axes.grid(visible=False)
