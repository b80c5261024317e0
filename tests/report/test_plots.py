"""Figures show the given numbers, fit on the canvas and are the same in every run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from cifar10.evaluation import metrics, replicates
from cifar10.evaluation.predictions import Answers
from cifar10.report import answer_plots, cost_plot, explanation_plots, mistake_plots, plots
from cifar10.report.costs import Point
from cifar10.report.mistakes import Mistakes
from tests import plausible

LONG = [*plausible.ODD, "a class name that is far too long to be written out beside an axis"]
MODELS = ["short", "a-model-with-a-name-of-more-than-forty-characters", "third"]
RANDOM = np.random.default_rng(3)
LABELS = np.repeat(np.arange(4), 30)
IMAGES = RANDOM.integers(0, 255, (120, 32, 32, 3), dtype=np.uint8)
PROBABILITIES = {model: RANDOM.dirichlet(np.ones(4), 120) for model in MODELS}
EPOCHS = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "loss": [3.0, 2.0, 1.0],
        "accuracy": [0.1, 0.2, 0.3],
        "val_loss": [2.5, 2.0, 1.5],
        "val_accuracy": [0.15, 0.2, 0.25],
    }
)
WITHOUT = EPOCHS.assign(val_loss=np.nan, val_accuracy=np.nan)
CLASSES = pd.DataFrame(
    [
        (model, label, 0.2 * label + 0.1 * index, 0.2 * label, 0.2 * label + 0.3, [0.2 * label, 0.4 * label])
        for index, model in enumerate(MODELS)
        for label in range(4)
    ],
    columns=["model", "label", "accuracy", "low", "high", "accuracies"],
)
SCORES = pd.DataFrame({"dataset": ["test"] * 90 + ["odd"] * 30, "id_score": RANDOM.normal(size=120)})
ANSWERS = {
    model: Answers(probabilities, np.arange(120.0), np.linspace(0, 1, 120), np.arange(120) != 1)
    for model, probabilities in PROBABILITIES.items()
}
POINTS = [Point("short", 1, 40, 0.5, 0.4, 0.6), Point(MODELS[1], 1, 4_000_000_000, 0.9, 0.88, 0.97)]
MISTAKES = Mistakes(LABELS, PROBABILITIES)
COUNTS = np.array([[9, 1, 0, 0], [2, 2, 2, 2], [0, 0, 0, 0], [0, 0, 1, 199]])

MAPS = {model: RANDOM.integers(0, 256, (4, 3, 3), np.uint8) for model in MODELS}
MAPS["third"] = MAPS["third"][:, :0, :0]  # a model without a map

PAIRS = replicates.differences(
    {model: RANDOM.random((3, 400)) < 0.3 + 0.2 * index for index, model in enumerate(MODELS)}
)

FIGURES: dict[str, Callable[[], Figure]] = {
    "samples": lambda: plots.samples(IMAGES, LABELS, LONG, 0),
    "accuracy": lambda: plots.curves({name: [EPOCHS] for name in MODELS}, "accuracy"),
    "one epoch": lambda: plots.curves({name: [WITHOUT[:1]] for name in MODELS}, "loss"),
    "confusion": lambda: plots.confusion(COUNTS, LONG, MODELS[1]),
    "predictions": lambda: plots.predictions(
        IMAGES[:6], LABELS[:6], LABELS[::20], PROBABILITIES["short"][:6, 0], LONG, MODELS[1]
    ),
    "class accuracy": lambda: plots.class_accuracy(CLASSES, LONG),
    "differences": lambda: plots.differences(PAIRS),
    "ood": lambda: plots.ood_scores(
        dict.fromkeys(MODELS, SCORES), {name: {"threshold": -1.0, "auroc": {"odd": 0.5}} for name in MODELS}
    ),
    "answers": lambda: answer_plots.answers(
        IMAGES[:3], ["a/very/long/path/to/a/picture.png", "$x$.png", "-"], ANSWERS, LONG
    ),
    "answers and maps": lambda: answer_plots.answers(
        IMAGES[:3], [*"abc"], ANSWERS, LONG, {name: own if own.size else None for name, own in MAPS.items()}
    ),
    "reliability": lambda: plots.reliability(PROBABILITIES, LABELS),
    "saliency": lambda: explanation_plots.saliency(
        IMAGES[:4], [*LONG[:3], "portrait"], [0, 1, 2, None], MAPS, dict.fromkeys(MAPS, LABELS[::30]), LONG
    ),
    "nearest": lambda: explanation_plots.nearest(
        dict.fromkeys(MODELS, IMAGES[:6]),
        dict.fromkeys(MODELS, LABELS[::20]),
        {name: np.linspace(0.9, -0.1, 6) for name in MODELS},
        LONG,
    ),
    "costs": lambda: cost_plot.accuracy(POINTS, MODELS),
    "mistakes of a model": lambda: mistake_plots.of_model(MISTAKES, MODELS[1], IMAGES, LONG),
    "mistakes of all models": lambda: mistake_plots.of_all(MISTAKES, IMAGES, LONG),
}


class Drawn(NamedTuple):
    """A figure in a file, and what the drawing has left in matplotlib."""

    draw: Callable[[], Figure]
    path: Path
    open_figures: list[int]
    changed_settings: list[str]


@pytest.fixture(scope="module")
def coarse() -> Iterator[None]:
    """Half of the resolution: the layout is the same, and drawing takes two thirds of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "DOTS", plots.DOTS // 2)
        yield


@pytest.fixture(scope="module", params=FIGURES)
def drawn(request: pytest.FixtureRequest, module_path: Path, coarse: None) -> Drawn:
    draw, before = FIGURES[request.param], dict(mpl.rcParams)
    figure = draw()
    changed = [name for name, value in mpl.rcParams.items() if value != before[name]]
    plots.save(figure, module_path / f"{request.param}.png")
    return Drawn(draw, module_path / f"{request.param}.png", plt.get_fignums(), changed)


def test_nothing_is_cut_off(drawn: Drawn) -> None:
    """Check that the border pixels of the picture are white."""
    pixels = np.asarray(Image.open(drawn.path).convert("RGB"))
    frame = [pixels[:5], pixels[-5:], pixels[:, :5], pixels[:, -5:]]
    assert all((side == 255).all() for side in frame)
    assert (pixels != 255).any()


def test_bytes_depend_on_nothing_but_the_data(drawn: Drawn, tmp_path: Path) -> None:
    with mpl.rc_context(
        {"font.size": 30, "savefig.facecolor": "red", "axes.grid": False, "text.color": "blue"}
    ):
        plots.save(drawn.draw(), tmp_path / "second.png")
    content = drawn.path.read_bytes()
    assert content == (tmp_path / "second.png").read_bytes()
    assert b"tEXt" not in content
    assert b"tIME" not in content
    assert len(content) < 200_000  # of pictures that are noise; 500 kB in full resolution


def test_drawing_leaves_no_trace(drawn: Drawn) -> None:
    assert drawn.open_figures == []
    assert drawn.changed_settings == []


def test_dollar_signs_in_names_are_no_formulas() -> None:
    for figure in (
        plots.samples(IMAGES, LABELS, ["$a_1$"] * 4, 0),
        plots.confusion(COUNTS, ["$a_1$"] * 4, "m"),
        plots.class_accuracy(CLASSES, ["$a_1$"] * 4),
        plots.predictions(IMAGES[:1], LABELS[:1], LABELS[:1], np.ones(1), ["$a_1$"], "m"),
    ):
        texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
        assert texts
        assert not any(text.get_parse_math() for text in texts)


def test_curves_show_the_history() -> None:
    axes = plots.curves({"a": [EPOCHS], "b": [EPOCHS]}, "loss").axes[0]
    solid, dashed = axes.lines[2:]
    np.testing.assert_array_equal(solid.get_xydata(), EPOCHS[["epoch", "loss"]])
    np.testing.assert_array_equal(dashed.get_xydata(), EPOCHS[["epoch", "val_loss"]])
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    assert solid.get_color() == dashed.get_color() != axes.lines[0].get_color()


def test_curves_of_several_trainings_show_mean_band_and_each() -> None:
    other = EPOCHS.assign(loss=EPOCHS["loss"] + 1)
    axes = plots.curves({"a": [EPOCHS, other]}, "loss").axes[0]
    first, second, mean = axes.lines[:3]
    np.testing.assert_allclose(first.get_ydata(), EPOCHS["loss"])
    np.testing.assert_allclose(second.get_ydata(), other["loss"])
    np.testing.assert_allclose(mean.get_ydata(), EPOCHS["loss"] + 0.5)
    assert first.get_linewidth() < mean.get_linewidth()
    (low, high) = axes.collections[0].get_datalim(axes.transData).intervaly
    assert low == pytest.approx(min(EPOCHS["loss"]) + 0.5 - 0.5**0.5)
    assert high == pytest.approx(max(EPOCHS["loss"]) + 0.5 + 0.5**0.5)


def test_curves_speak_of_validation_only_where_there_is_some() -> None:
    def legend(history: pd.DataFrame) -> list[str]:
        entries = plots.curves({"a": [history]}, "accuracy").axes[0].get_legend()
        assert entries is not None
        return [text.get_text() for text in entries.get_texts()]

    assert legend(EPOCHS) == ["training", "validation"]
    assert legend(WITHOUT) == ["training"]


def test_a_single_epoch_is_a_point_above_its_number() -> None:
    figure = plots.curves({"a": [WITHOUT[:1]]}, "accuracy")
    axes = figure.axes[0]
    assert axes.lines[0].get_marker() == "o"
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]


def test_confusion_matrix_shows_percent_of_each_row() -> None:
    axes = plots.confusion(COUNTS, LONG, "a").axes[0]
    numbers = {
        (int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts
    }
    assert [numbers.get((0, column)) for column in range(4)] == ["90", "10", "0", "0"]
    assert [numbers.get((1, column)) for column in range(4)] == ["25"] * 4
    assert [numbers.get((2, column)) for column in range(4)] == [None] * 4  # a class without test images
    assert [numbers.get((3, column)) for column in range(4)] == ["0", "0", "0", "100"]
    assert axes.get_ylabel().startswith("actual")
    assert axes.get_xlabel().startswith("predicted")


def test_confusion_matrix_of_many_classes_names_all_and_has_a_scale_for_numbers() -> None:
    figure = plots.confusion(np.eye(25, dtype=int), [f"the same long beginning {i}" for i in range(25)], "a")
    axes, scale = figure.axes
    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == 25
    assert not axes.texts
    assert scale.get_ylim() == (0, 100)


def test_wrong_predictions_are_marked_by_more_than_colour() -> None:
    figure = plots.predictions(
        IMAGES[:3], np.array([0, 1, 2]), np.array([0, 3, 2]), np.array([0.5, 0.995, 0.2]), list("ABCD"), "m"
    )
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["true: A", "✓ A 50 %", "true: B", "✗ D 100 %", "true: C", "✓ C 20 %"]
    right, wrong, _ = axes.patches
    assert wrong.get_linewidth() > 3 * right.get_linewidth()
    corners = [patch.get_xy() for patch in axes.patches]
    assert [(image.get_extent()[0], image.get_extent()[3]) for image in axes.images] == corners


def test_pictures_keep_their_pixels() -> None:
    figure = plots.predictions(IMAGES[:1], LABELS[:1], LABELS[:1], np.ones(1), LONG, "m")
    (picture,) = figure.axes[0].images
    np.testing.assert_array_equal(picture.get_array(), IMAGES[0])
    assert picture.get_interpolation() == "nearest"


def test_samples_are_of_their_row_and_drawn_by_seed() -> None:
    shades = np.broadcast_to(LABELS[:, None, None, None] * 50, (120, 32, 32, 3)).astype(np.uint8)
    canvas = np.asarray(plots.samples(shades, LABELS, list("ABCD"), 0).axes[0].images[0].get_array())
    for row in range(4):
        assert (canvas[row * 35 : row * 35 + 32, :32] == row * 50).all()
    drawn = [
        plots.samples(IMAGES, LABELS, list("ABCD"), seed).axes[0].images[0].get_array() for seed in (0, 0, 1)
    ]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_samples_of_a_class_with_few_images_leave_the_rest_white() -> None:
    canvas = np.asarray(
        plots.samples(IMAGES[:2] // 2, np.array([0, 1]), list("AB"), 0).axes[0].images[0].get_array()
    )
    assert (canvas[:, 35:] == 255).all()


def test_class_accuracy_has_the_easiest_class_on_top() -> None:
    axes = plots.class_accuracy(CLASSES, list("ABCD")).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["A", "B", "C", "D"]  # from the bottom up
    (first,) = (line for line in axes.lines if line.get_marker() == plots.styles(MODELS)["short"].marker)
    assert [float(share) for share in first.get_xdata()] == pytest.approx([0, 0.2, 0.4, 0.6])
    dots = [line.get_xdata() for line in axes.lines if line.get_marker() == "."]
    assert [[float(share) for share in each] for each in dots[:2]] == [[0, 0], [0.2, 0.4]]


def test_differences_are_leads_with_their_intervals() -> None:
    axes = plots.differences(PAIRS).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == [f"{plots.shorten(p.first, 16)} - {plots.shorten(p.second, 16)}" for p in PAIRS[::-1]]
    points = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert points == pytest.approx([100 * pair.lead for pair in PAIRS[::-1]])
    bars = [bar.get_segments()[0][:, 0] for bar in axes.collections]
    for bar, pair in zip(bars, PAIRS[::-1], strict=True):
        assert pair.estimate
        assert bar == pytest.approx([100 * pair.estimate.low, 100 * pair.estimate.high])
    assert {text.get_text() for text in axes.texts} == {pair.outcome.value for pair in PAIRS}


def test_reliability_shows_what_the_metrics_say() -> None:
    above, below = plots.reliability(PROBABILITIES, LABELS).axes
    table = metrics.reliability(PROBABILITIES["third"], LABELS)
    np.testing.assert_array_equal(below.lines[2].get_ydata(), table["images"] / 120)
    line = next(line for line in above.lines if line.get_color() == plots.styles(MODELS)["third"].color)
    np.testing.assert_array_equal(line.get_xydata(), table[["confidence", "accuracy"]].dropna())


def test_a_model_looks_the_same_in_every_figure() -> None:
    looks = plots.styles(MODELS).values()
    for name in ("accuracy", "class accuracy", "reliability"):
        legend = FIGURES[name]().legends[0]
        for handle, look in zip(legend.legend_handles, looks, strict=True):
            assert handle is not None
            assert to_hex(handle.get_color()) == look.color
            assert handle.get_marker() == look.marker


def test_looks_differ() -> None:
    assert len(set(plots.styles([f"m{index}" for index in range(56)]).values())) == 56


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [
        ("cat", 3, "cat"),
        ("abcdefghij", 5, "ab…ij"),
        ("abcdefghij", 6, "abc…ij"),
        ("two\n lines", 20, "two lines"),
    ],
)
def test_shorten(name: str, width: int, expected: str) -> None:
    assert plots.shorten(name, width) == expected
