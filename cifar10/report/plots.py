"""The report's figures: data in, matplotlib Figure out. One style, one colour and marker per model."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from cifar10.evaluation import metrics

if TYPE_CHECKING:
    from cifar10.evaluation.predictions import Answers

WIDTH = 6.4  # inches; a figure is as wide as a column of text, so that it can be read on a telephone
DOTS = 200  # per inch
SIDE = 24  # inches, the most that a confusion matrix grows to
ROWS = 100  # the most classes that get a row of their own
PER_CLASS = 10  # images in the sample grid
GAP = 3  # white pixels between them
ACROSS = 4  # test images in a row
SHOWN = 4 * ACROSS  # test images shown with their predictions
SCORE_BINS = 24  # of a histogram of scores
DRAWN = 50  # the most new images in one figure
NUMBERED = 20  # the most classes for which a confusion matrix has room for numbers

GREY = "#5f5f5f"
WRONG, WRONG_TEXT = "#d55e00", "#a03c00"  # orange-red of the colour-blind palette, and darker for small text
# the colours of seaborn's colour-blind palette that stand out from white
COLOURS = [sns.color_palette("colorblind").as_hex()[index] for index in (0, 1, 2, 4, 5, 7, 9)]
MARKERS = "os^DvPX*"
PERCENT = FuncFormatter(lambda share, _: f"{100 * share:g} %")
LINES: dict[str, Literal["-", "--", ":"]] = {
    "training": "-",
    "validation": "--",
    "confidence = accuracy": ":",
}  # what each kind of line means

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Look(NamedTuple):
    """How a model is drawn, in every figure."""

    color: str
    marker: str


def looks(models: Sequence[str]) -> dict[str, Look]:
    """Give each model its colour and marker; the first 56 differ."""
    return {
        model: Look(COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)])
        for index, model in enumerate(models)
    }


def shorten(name: str, width: int) -> str:
    """Fit a name into `width` characters, leaving out its middle: "a very lo…ss name"."""
    name = " ".join(name.split())
    head = width // 2
    return name if len(name) <= width else f"{name[:head]}…{name[head + 1 - width :]}"


def _styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Work in this module's style, whatever the user's matplotlibrc says, and leave no trace of it."""
    style = {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("paper", font_scale=1.1),
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every system
        "text.parse_math": False,  # a class name may hold dollar signs
        "grid.color": "0.9",
        "grid.linewidth": 0.7,
        "axes.edgecolor": "0.6",
        "axes.linewidth": 0.8,
        "axes.titleweight": "bold",
        "axes.titlesize": 11,
        "figure.titlesize": 11,
        "figure.titleweight": "bold",
        "legend.frameon": False,
        "lines.markersize": 5,
    }

    @functools.wraps(draw)
    def styled(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with matplotlib.style.context(["default", style]):
            return draw(*args, **kwargs)

    return styled


@_styled
def save(figure: Figure, path: Path) -> None:
    """Write a PNG, cut to what is drawn; the same bytes for the same figure, so without a version."""
    figure.savefig(
        path,
        dpi=DOTS,
        bbox_inches="tight",
        pad_inches=0.08,
        metadata={"Software": None},
        pil_kwargs={"optimize": True},
    )


@_styled
def samples(images: np.ndarray, labels: np.ndarray, class_names: Sequence[str], seed: int) -> Figure:
    """Show images of each class, drawn at random: a row per class.

    Args:
        images: uint8 (N, H, W, 3).
        labels: int (N,), 0 to K - 1.
        class_names: K names.
        seed: of the draw.
    """
    shown = class_names[:ROWS]
    figure = Figure((WIDTH, 0.5 + 0.52 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(_mosaic(images, labels, len(shown), seed), interpolation="nearest")
    height = images.shape[1] + GAP
    axes.set_yticks(
        [(row + 0.5) * height - GAP / 2 for row in range(len(shown))], [shorten(name, 20) for name in shown]
    )
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    more = "" if len(shown) == len(class_names) else f", the first {ROWS} of {len(class_names)} classes"
    axes.set_title(f"Training images{more}")
    return figure


def _mosaic(images: np.ndarray, labels: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """Lay out `PER_CLASS` random images of each class on white, a row per class."""
    random = np.random.default_rng(seed)
    height, width = (length + GAP for length in images.shape[1:3])
    canvas = np.full((classes * height, PER_CLASS * width, 3), 255, dtype=np.uint8)
    for row in range(classes):
        members = np.flatnonzero(labels == row)
        for column, index in enumerate(random.permutation(members)[:PER_CLASS]):
            top, left = row * height, column * width
            canvas[top : top + height - GAP, left : left + width - GAP] = images[index]
    return canvas


@_styled
def curves(histories: Mapping[str, pd.DataFrame], quantity: Literal["accuracy", "loss"]) -> Figure:
    """Draw accuracy or loss against the epoch: training solid, validation dashed where there is any.

    Args:
        histories: per model, columns epoch, loss, accuracy, val_loss, val_accuracy (NaN without validation).
        quantity: what to draw.
    """
    figure = Figure((WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    for model, look in looks([*histories]).items():
        _curve(axes, histories[model], quantity, look, "training")
        _curve(axes, histories[model], f"val_{quantity}", look, "validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set(xlabel="epoch", xlim=(0.5, max(map(len, histories.values())) + 0.5))
    if quantity == "accuracy":
        axes.yaxis.set_major_formatter(PERCENT)
    axes.set_ylabel("accuracy" if quantity == "accuracy" else "loss (nats)")
    axes.set_title(f"{quantity.capitalize()} while training")
    validated = any(history[f"val_{quantity}"].notna().any() for history in histories.values())
    _explain_lines(axes, {"training": GREY, "validation": "white"} if validated else {"training": GREY})
    _explain_models(figure, [*histories])
    return figure


def _curve(axes: Axes, history: pd.DataFrame, column: str, look: Look, line: str) -> None:
    axes.plot(
        history["epoch"],
        history[column],
        **look._asdict(),
        linestyle=LINES[line],
        markerfacecolor="white" if line == "validation" else look.color,
        markevery=max(1, len(history) // 10),
    )


@_styled
def confusion(counts: np.ndarray, class_names: Sequence[str], model: str) -> Figure:
    """Draw a confusion matrix as a heat map: of each actual class, how many percent were taken for which.

    Args:
        counts: int (K, K), images; a row per actual class, a column per predicted one.
        class_names: K names.
        model: its name, for the title.
    """
    with np.errstate(invalid="ignore"):  # a class without images becomes NaN and stays white
        percent = 100 * counts / counts.sum(axis=1, keepdims=True)
    numbered = len(class_names) <= NUMBERED
    side = max(4.4, 1.7 + len(class_names) * (0.47 if numbered else 0.2))
    figure = Figure((min(side, SIDE), min(side, SIDE)), layout="constrained")
    axes = figure.subplots()
    names = [shorten(name, 20) for name in class_names]
    _heatmap(axes, pd.DataFrame(percent, names, names), numbered)
    title = f"{shorten(model, 30)}: confusion matrix, in %"
    axes.set(xlabel="predicted class", ylabel="actual class, each row 100 %", title=title)
    return figure


def _heatmap(axes: Axes, percent: pd.DataFrame, numbered: bool) -> None:
    """Draw shares as colours, with numbers in the cells or, where there is no room, a colour scale."""
    names = True if len(percent) <= ROWS else "auto"  # "auto" leaves out those that would overlap
    sns.heatmap(
        percent,
        ax=axes,
        vmin=0,
        vmax=100,
        cmap="Blues",
        square=True,
        linewidths=0.5 if numbered else 0,
        annot=numbered,
        fmt=".0f",
        xticklabels=names,
        yticklabels=names,
        cbar=not numbered,
        cbar_kws={"shrink": 0.6, "format": "%d %%"},
    )
    axes.tick_params(axis="y", rotation=0)
    slant = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    for label in axes.get_xticklabels():
        label.set(**slant if numbered else {"rotation": 90})


@_styled
def predictions(
    images: np.ndarray,
    actual: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    model: str,
) -> Figure:
    """Show images with their true and predicted class; wrong ones bear a cross and a thick frame.

    Args:
        images: uint8 (N, H, W, 3).
        actual: int (N,), 0 to K - 1.
        predicted: the same.
        confidence: float (N,), probability of the predicted class.
        class_names: K names.
        model: its name, for the title.
    """
    names = [shorten(name, 14) for name in class_names]
    rows = -(-len(images) // ACROSS)
    figure = Figure((WIDTH, 0.4 + 1.95 * rows), layout="constrained")
    grid = figure.subplots(rows, ACROSS, squeeze=False).ravel()
    for axes in grid[len(images) :]:
        axes.set_axis_off()
    for axes, image, truth, guess, share in zip(grid, images, actual, predicted, confidence, strict=False):
        _picture(axes, image, names[truth], names[guess], share, truth != guess)
    figure.suptitle(f"{shorten(model, 40)}: predictions for random test images")
    return figure


def _picture(axes: Axes, image: np.ndarray, truth: str, guess: str, confidence: float, wrong: bool) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set(color=WRONG if wrong else GREY, linewidth=3.5 if wrong else 0.8)
    axes.set_title(f"true: {truth}", fontsize=8, fontweight="normal")
    answer = f"{'✗' if wrong else '✓'} {guess} {100 * confidence:.0f} %"
    axes.set_xlabel(answer, fontsize=8, color=WRONG_TEXT if wrong else "black")


@_styled
def class_accuracy(table: pd.DataFrame, class_names: Sequence[str]) -> Figure:
    """Draw every model's accuracy per class with its interval, the class that is easiest on average on top.

    Args:
        table: model, label (0 to K - 1), accuracy, low, high (0 to 1).
        class_names: K names.
    """
    models = [*table["model"].unique()]
    hardest = table.groupby("label")["accuracy"].mean().sort_values(kind="stable").index
    order = hardest[:ROWS]
    figure = Figure((WIDTH, 1.4 + len(order) * (0.16 + 0.13 * len(models))), layout="constrained")
    axes = figure.subplots()
    for index, (model, look) in enumerate(looks(models).items()):
        rows = table[table["model"] == model].set_index("label").loc[order]
        shift = 0.72 * ((len(models) - 1) / 2 - index) / len(models)
        axes.errorbar(
            rows["accuracy"],
            np.arange(len(order)) + shift,
            xerr=_reach(rows["accuracy"], rows["low"], rows["high"]),
            **look._asdict(),
            linestyle="none",
            elinewidth=1.2,
        )
    _name_rows(axes, [shorten(class_names[label], 20) for label in order])
    axes.xaxis.set_major_formatter(PERCENT)
    axes.set_xlabel("test accuracy within the class, 95 % interval")
    more = f", the hardest {ROWS} of {len(hardest)}" if len(hardest) > ROWS else ""
    axes.set_title(f"Accuracy per class{more}")
    _explain_models(figure, models)
    return figure


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write names from the bottom up and draw lines between them, not through them."""
    axes.set_yticks(range(len(names)), names)
    axes.set_yticks(np.arange(1, len(names)) - 0.5, minor=True)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="y", which="minor")
    axes.set_ylim(-0.6, len(names) - 0.4)


def _reach(value: ArrayLike, low: ArrayLike, high: ArrayLike) -> np.ndarray:
    """Return how far an interval reaches below and above its value; rounding must not make it negative."""
    return np.maximum([np.subtract(value, low), np.subtract(high, value)], 0)


@_styled
def reliability(probabilities: Mapping[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Draw accuracy against confidence for all models, and below it how many images are that confident.

    Args:
        probabilities: per model, float (N, K), rows sum to 1.
        labels: int (N,).
    """
    figure = Figure((WIDTH, 5.8), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], color=GREY, linestyle=LINES["confidence = accuracy"])
    for model, look in looks([*probabilities]).items():
        table = metrics.reliability(probabilities[model], labels)
        middle = (table["lower"] + table["upper"]) / 2
        below.plot(middle, table["images"] / table["images"].sum(), **look._asdict())
        _reliability_line(above, table[table["images"] > 0], look)
    above.set(ylabel="accuracy", title="Reliability: does confidence mean accuracy?")
    below.set(ylabel="test images", xlabel="confidence (probability of the predicted class)")
    for axes in (above, below):
        axes.yaxis.set_major_formatter(PERCENT)
    below.xaxis.set_major_formatter(PERCENT)
    _explain_lines(above, {"confidence = accuracy": None})
    _explain_models(figure, [*probabilities])
    return figure


def _reliability_line(axes: Axes, table: pd.DataFrame, look: Look) -> None:
    right = (table["accuracy"] * table["images"]).round().astype(int)
    intervals = [metrics.accuracy_interval(*counts) for counts in zip(right, table["images"], strict=True)]
    low, high = np.transpose(intervals)
    axes.errorbar(
        table["confidence"],
        table["accuracy"],
        yerr=_reach(table["accuracy"], low, high),
        **look._asdict(),
        elinewidth=0.9,
    )


@_styled
def ood_scores(scores: Mapping[str, pd.DataFrame], rejection: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw how the test images score and how images of no class do: a row per model, a column per kind.

    Args:
        scores: per model, columns kind (`test` or a kind of no class) and score.
        rejection: per model `threshold`, below which an image is rejected, and `auroc` by kind.
    """
    kinds = [*next(iter(rejection.values()))["auroc"]]
    figure = Figure((WIDTH, 0.8 + 1.25 * len(scores)), layout="constrained")
    grid = figure.subplots(len(scores), len(kinds), sharex="row", sharey="row", squeeze=False)
    for row, (model, look) in zip(grid, looks([*scores]).items(), strict=True):
        by_kind = {str(kind): group.to_numpy() for kind, group in scores[model].groupby("kind")["score"]}
        low, high = np.quantile(scores[model]["score"], [0.002, 0.998])
        edges = np.linspace(low, high, SCORE_BINS + 1)
        for axes, kind in zip(row, kinds, strict=True):
            _score_histograms(axes, edges, by_kind["test"], by_kind[kind], look.color)
            axes.axvline(rejection[model]["threshold"], color="black", linewidth=1, linestyle=":")
            axes.set_title(f"AUROC {rejection[model]['auroc'][kind]:.2f}", fontsize=8, fontweight="normal")
            axes.set(yticks=[], xticks=[])
            axes.spines[["top", "left", "right"]].set_visible(False)
            axes.grid(visible=False)
        row[0].set_ylabel(shorten(model, 16), fontsize=9)
    for axes, kind in zip(grid[-1], kinds, strict=True):
        axes.set_xlabel(kind, fontsize=9, fontweight="bold")
    figure.suptitle("Known or not? Test images grey, images of no class in colour")
    figure.supxlabel(
        "score: the further right, the more like a known class; left of the dotted line: none of these",
        fontsize=8,
    )
    return figure


def _score_histograms(
    axes: Axes, edges: np.ndarray, known: np.ndarray, novel: np.ndarray, color: str
) -> None:
    """Draw both as shares of their images; what lies beyond the edges is drawn at them."""
    for values, filled in ((known, True), (novel, False)):
        shares = np.histogram(values.clip(edges[0], edges[-1]), edges)[0] / len(values)
        axes.stairs(shares, edges, fill=filled, color="0.82" if filled else color, linewidth=1.3)


@_styled
def answers(
    images: np.ndarray, names: Sequence[str], found: Mapping[str, "Answers"], class_names: Sequence[str]
) -> Figure:
    """Show images as the models see them, with bars for what each model finds most probable: a row per image.

    Args:
        images: uint8 (N, 32, 32, 3); of more than DRAWN the first are drawn.
        names: N, of the images.
        found: answers by model.
        class_names: K names.
    """
    rows = min(len(images), DRAWN)
    figure = Figure((WIDTH, 0.4 + 1.5 * rows), layout="constrained")
    shares = {"width_ratios": [1] + [1.25] * len(found)}
    grid = figure.subplots(rows, 1 + len(found), squeeze=False, gridspec_kw=shares)
    for index, (image, name, row) in enumerate(zip(images, names, grid, strict=False)):
        row[0].imshow(image, interpolation="nearest")
        row[0].set(xticks=[], yticks=[])
        row[0].set_title(shorten(Path(name).name, 18), fontsize=8, fontweight="normal")
        row[0].grid(visible=False)
        for axes, (model, look) in zip(row[1:], looks([*found]).items(), strict=True):
            _answer(axes, found[model], index, class_names, look.color)
            verdict = "" if found[model].is_id[index] else ": none of these"
            color = "black" if found[model].is_id[index] else WRONG_TEXT
            axes.set_title(f"{shorten(model, 14)}{verdict}", fontsize=8, fontweight="normal", color=color)
    if len(images) > rows:
        figure.suptitle(f"The first {rows} of {len(images):,} images")
    return figure


def _answer(axes: Axes, found: "Answers", index: int, class_names: Sequence[str], color: str) -> None:
    """Draw the most probable classes of an image as bars with their names inside."""
    top = found.top(index)
    probabilities = found.probabilities[index, top]
    axes.barh(range(len(top)), probabilities, color=color, alpha=0.35, height=0.8)
    for place, (label, probability) in enumerate(zip(top, probabilities, strict=True)):
        text = f"{shorten(class_names[label], 16)} {100 * probability:.0f} %"
        axes.text(0.03, place, text, va="center", fontsize=8)
    axes.set(xlim=(0, 1), ylim=(2.6, -0.6), xticks=[], yticks=[])
    axes.grid(visible=False)


def _explain_models(figure: Figure, models: Sequence[str]) -> None:
    """Say below the figure which look is whose, in as many columns as fit."""
    handles = [
        Line2D([], [], **look._asdict(), label=shorten(model, 40)) for model, look in looks(models).items()
    ]
    longest = max(len(str(handle.get_label())) for handle in handles)
    columns = max(1, min(len(handles), 75 // (longest + 7)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def _explain_lines(axes: Axes, faces: Mapping[str, str | None]) -> None:
    """Say inside the axes, in grey, what kinds of lines mean; `faces` fills their markers, None for none."""
    handles = [
        Line2D(
            [],
            [],
            color=GREY,
            linestyle=LINES[line],
            marker="o" if face else "",
            markerfacecolor=face or GREY,
            label=line,
        )
        for line, face in faces.items()
    ]
    axes.legend(handles=handles, loc="best", frameon=True)
