"""The figure of copies that the audit found."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cifar10.names import shorten
from cifar10.report import fonts
from cifar10.report.plots import WIDTH

ACROSS = 4  # pairs in a row


def pairs(
    found: Sequence[Mapping[str, Any]],
    class_names: Sequence[str],
    load: Callable[[str], tuple[np.ndarray, np.ndarray]],
) -> Figure:
    """Draw pairs of pictures side by side, with split, position and class of each.

    Args:
        found: "pairs" of reports/audit.json, at least one.
        class_names: K names.
        load: gives images, uint8 (N, H, W, 3), and labels of a split.
    """
    drawn = dict(zip(class_names, fonts.drawable(class_names, "class"), strict=True))
    rows = math.ceil(len(found) / ACROSS)
    figure = Figure((WIDTH, 0.4 + 1.35 * rows), layout="constrained")
    grid = figure.subplots(rows, ACROSS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, pair in zip(grid, found, strict=False):
        ends = [pair["first"], pair["second"]]
        images = [load(end["split"])[0][end["index"]] for end in ends]
        gap = np.full((images[0].shape[0], 2, 3), 255, np.uint8)
        axes.imshow(np.concatenate([images[0], gap, images[1]], axis=1), interpolation="nearest")
        lines = [f"{end['split']} {end['index']}: {shorten(drawn[end['class']], 12)}" for end in ends]
        axes.set_title("\n".join([pair["kind"], *lines]), fontsize=6.5, fontweight="normal", parse_math=False)
    return figure
