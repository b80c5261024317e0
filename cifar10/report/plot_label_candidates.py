"""The figure of the likeliest label candidates."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cifar10.names import shorten
from cifar10.report import fonts
from cifar10.report.placement import within
from cifar10.report.plots import WIDTH

ACROSS = 5  # pictures in a row
SHOWN = 5 * ACROSS


def draw(
    table: pd.DataFrame, classes: Sequence[str], load: Callable[[str], tuple[np.ndarray, np.ndarray]]
) -> Figure:
    """Draw the first `SHOWN` candidates with split, position, given and predicted class and probability.

    Args:
        table: from `label_candidates.table`, with at least one row.
        classes: all names.
        load: gives images, uint8 (N, H, W, 3), and labels of a split.
    """
    drawn = table.head(SHOWN)
    images = {split: load(split)[0] for split in drawn["split"].unique()}
    short = [shorten(name, 13) for name in fonts.drawable(classes, "class")]
    names = dict(zip(classes, short, strict=True))
    rows = -(-len(drawn) // ACROSS)
    figure = Figure((WIDTH, 1.75 * rows), layout="constrained")
    axes = figure.subplots()  # one for all: each would take as long as all pictures
    axes.set_axis_off()
    for place, row in enumerate(drawn.itertuples(index=False, name=None)):
        split, index, given, predicted, _, probability = row
        top, left = 1.42 * (place // ACROSS), 1.06 * (place % ACROSS)
        picture = images[split][index]
        axes.imshow(picture, interpolation="nearest", extent=within(left, top, picture))
        text = f"{split} {index}\ngiven: {names[given]}\n{names[predicted]} {100 * probability:.0f} %"
        axes.text(left + 0.5, top - 0.03, text, fontsize=7, ha="center", va="bottom", parse_math=False)
    axes.set(xlim=(-0.02, 1.06 * ACROSS - 0.04), ylim=(1.42 * rows - 0.4, -0.42))
    return figure
