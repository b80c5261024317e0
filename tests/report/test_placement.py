"""Pictures that are not square keep their shape in the figures."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cifar10.report import explanation_plots, label_candidates, placement, plot_label_candidates, plots

SHAPE = (40, 64)
IMAGES = np.random.default_rng(0).integers(0, 256, (4, *SHAPE, 3), np.uint8)
LABELS = np.array([0, 1, 0, 1])
MAPS = np.full((4, 5, 8), 128, np.uint8)


def _candidates() -> Figure:
    table = pd.DataFrame([("test", 0, "a", "b", 0.05, 0.95)] * 2, columns=label_candidates.COLUMNS)
    return plot_label_candidates.draw(table, ["a", "b"], lambda _: (IMAGES, LABELS))


@pytest.mark.parametrize(
    "draw",
    [
        _candidates,
        lambda: plots.predictions(IMAGES, LABELS, LABELS[::-1], np.full(4, 0.5), ["a", "b"], "m"),
        lambda: explanation_plots.saliency(IMAGES, [*"abab"], LABELS, {"m": MAPS}, {"m": LABELS}, ["a", "b"]),
        lambda: explanation_plots.nearest({"m": IMAGES}, {"m": LABELS}, {"m": np.zeros(4)}, ["a", "b"]),
    ],
)
def test_pictures_keep_their_shape(draw):
    (axes,) = draw().axes
    assert axes.get_aspect() == 1  # "equal"
    assert axes.images
    for image in axes.images:
        left, right, bottom, top = image.get_extent()
        assert (bottom - top) / (right - left) == pytest.approx(SHAPE[0] / SHAPE[1])
        assert right - left == pytest.approx(1)
    for frame in axes.patches:
        assert frame.get_height() / frame.get_width() == pytest.approx(SHAPE[0] / SHAPE[1])


def test_a_picture_is_in_the_middle_of_its_cell():
    assert placement.within(2, 3, np.zeros((32, 32, 3))) == (2, 3, 4, 3)
    assert placement.within(2, 3, np.zeros((32, 16, 3))) == (2.25, 2.75, 4, 3)
    assert placement.within(2, 3, np.zeros((8, 32, 3))) == (2, 3, 3.625, 3.375)
