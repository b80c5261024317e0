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


def pairs(found: Sequence[Mapping[str, Any]], load: Callable[[str], tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Draw pairs of pictures side by side, with split, position and class of each.

    Args:
        found: "pairs" of reports/audit.json, at least one.
        load: gives images, uint8 (N, H, W, 3), and labels of a split.
    """
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
        classes = fonts.drawable([end["class"] for end in ends], "class")
        lines = [
            f"{end['split']} {end['index']}: {shorten(name, 12)}"
            for end, name in zip(ends, classes, strict=True)
        ]
        axes.set_title("\n".join([pair["kind"], *lines]), fontsize=6.5, fontweight="normal", parse_math=False)
    return figure
