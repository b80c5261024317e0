"""The figures of saliency maps and of nearest training images show the given arrays."""

import numpy as np

from cifar10.evaluation import saliency
from cifar10.report import explanation_plots

IMAGES = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
MAPS = np.random.default_rng(2).integers(0, 256, (3, 4, 4), np.uint8)


def test_maps_stand_below_their_pictures_with_the_class_that_they_explain() -> None:
    figure = explanation_plots.saliency(
        IMAGES,
        ["A", "B", "portrait"],
        [0, 1, None],
        {"first": MAPS, "flat": MAPS[:, :0, :0]},
        {"first": np.array([0, 0, 1]), "flat": np.array([1, 1, 1])},
        ["A", "B"],
    )
    (axes,) = figure.axes
    drawn = [np.asarray(image.get_array()) for image in axes.images]
    for found, expected in zip(drawn, [*IMAGES, *map(saliency.overlay, IMAGES, MAPS)], strict=True):
        np.testing.assert_array_equal(found, expected)
    left = [image.get_extent()[0] for image in axes.images]
    assert left[:3] == left[3:]
    texts = [text.get_text() for text in axes.texts]
    assert [text for text in texts if text.endswith(("A", "B"))] == [
        "✓ A",
        "✗ A",
        "B",
        "✗ B",
        "✓ B",
        "B",
        "A",
        "B",
    ]
    assert explanation_plots.NO_MAP in texts
    frames = [patch.get_linewidth() for patch in axes.patches[3:]]
    assert frames[1] > 3 * frames[0] == 3 * frames[2]


def test_neighbours_stand_in_order_with_class_and_similarity() -> None:
    figure = explanation_plots.nearest(
        {"m": IMAGES}, {"m": np.array([1, 0, 1])}, {"m": np.array([0.987, 0.5, -0.25])}, ["A", "B"]
    )
    (axes,) = figure.axes
    for image, expected in zip(axes.images, IMAGES, strict=True):
        np.testing.assert_array_equal(image.get_array(), expected)
    assert [text.get_text() for text in axes.texts] == ["m", "B 0.99", "A 0.50", "B -0.25"]
