"""Plots of the report as matplotlib figures in one style; a model has one colour and marker in all plots."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike
from PIL import Image, ImageChops, ImageOps

from cifar10.evaluation import accuracy_interval, metrics
from cifar10.evaluation.replicates.difference import MARGIN
from cifar10.names import shorten
from cifar10.report import fonts
from cifar10.report.placement import framed, within

if TYPE_CHECKING:
    from cifar10.evaluation.replicates import Difference

WIDTH = 6.4  # inches; the width of a text column, readable on a phone
DOTS = 200  # per inch
BORDER = 0.08  # inches of white around the content of a figure
SIDE = 24  # inches, maximum size of a confusion matrix
ROWS = 100  # maximum number of classes with their own row
PER_CLASS = 10  # images in the sample grid
LARGEST = 64  # pixels, the side of an image in the sample grid; of a larger one, every n-th pixel is drawn
GAP = 3  # white pixels between images
ACROSS = 4  # test images in a row
SHOWN = 4 * ACROSS  # test images with their predictions
SCORE_BINS = 24  # of a histogram of ID scores
NUMBERED = 20  # maximum number of classes of a confusion matrix with numbers in its cells

GREY = "#5f5f5f"
WRONG, WRONG_TEXT = "#d55e00", "#a03c00"  # orange-red of the colour-blind palette, darker for small text
# colours of seaborn's colour-blind palette with enough contrast to white
COLOURS = [sns.color_palette("colorblind").as_hex()[index] for index in (0, 1, 2, 4, 5, 7, 9)]
MARKERS = "os^DvPX*"
PERCENT = FuncFormatter(lambda share, _: f"{100 * share:g} %")
LINES: dict[str, Literal["-", "--", ":"]] = {
    "training": "-",
    "validation": "--",
    "confidence = accuracy": ":",
}

# By suffix, without versions and times.
METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None},
    ".svgz": {"Date": None, "Creator": None},
}

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Style(NamedTuple):
    """Style of a model in every figure."""

    color: str
    marker: str


def styles(models: Sequence[str]) -> dict[str, Style]:
    """Assign a colour and a marker to each model; the first 56 differ."""
    return {
        model: Style(COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)])
        for index, model in enumerate(models)
    }


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Draw in this module's style, independent of the user's matplotlibrc."""
    style = {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("paper", font_scale=1.1),
        "font.sans-serif": [fonts.USUAL],
        "text.parse_math": False,  # class names may contain dollar signs
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


@styled
def save(figure: Figure, path: Path) -> None:
    """Write a cropped figure, in the format of its suffix, without version metadata.

    Equal figures give equal bytes, except in PostScript.
    """
    text = "".join(found.get_text() for found in figure.findobj(Text) if isinstance(found, Text))
    matplotlib.rcParams["font.sans-serif"] = [fonts.USUAL, *fonts.fallbacks(text)]
    matplotlib.rcParams["svg.hashsalt"] = "cifar10"  # names of parts; the default is random
    suffix = path.suffix.lower()
    if suffix == ".png" and (image := _cropped(figure)):
        image.save(path, dpi=(DOTS, DOTS))
    else:
        figure.savefig(path, dpi=DOTS, bbox_inches="tight", pad_inches=BORDER, metadata=METADATA.get(suffix))


def _cropped(figure: Figure) -> Image.Image | None:
    """Draw a figure with an even white border; return an RGB image, or None if something may be cut off.

    `savefig` with a tight box also finds what lies outside the figure, but it draws the figure twice.
    """
    figure.set_dpi(DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    content = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox()
    if content is None:
        return None
    left, top, right, bottom = content
    if not (left and top and right < image.width and bottom < image.height):
        return None
    return ImageOps.expand(image.crop(content), round(BORDER * DOTS), "white")


@styled
def samples(images: np.ndarray, labels: np.ndarray, class_names: Sequence[str], seed: int) -> Figure:
    """Show random images of each class, one row per class.

    Args:
        images: uint8 (N, H, W, 3).
        labels: int (N,), 0 to K - 1.
        class_names: K names.
        seed: of the random choice.
    """
    shown = fonts.drawable(class_names, "class")[:ROWS]
    figure = Figure((WIDTH, 0.5 + 0.52 * len(shown)), layout="constrained")
    axes = figure.subplots()
    mosaic = _mosaic(images, labels, len(shown), seed)
    axes.imshow(mosaic, interpolation="nearest")
    height = mosaic.shape[0] // len(shown)
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
    """Lay out `PER_CLASS` random images of each class on white, one row per class."""
    random = np.random.default_rng(seed)
    step = -(-max(images.shape[1:3]) // LARGEST)
    height, width = (-(-length // step) + GAP for length in images.shape[1:3])
    canvas = np.full((classes * height, PER_CLASS * width, 3), 255, dtype=np.uint8)
    for row in range(classes):
        members = np.flatnonzero(labels == row)
        for column, index in enumerate(random.permutation(members)[:PER_CLASS]):
            top, left = row * height, column * width
            canvas[top : top + height - GAP, left : left + width - GAP] = images[index, ::step, ::step]
    return canvas


@styled
def curves(histories: Mapping[str, Sequence[pd.DataFrame]], quantity: Literal["accuracy", "loss"]) -> Figure:
    """Draw accuracy or loss per epoch: training solid, validation dashed.

    With several trainings of a model, the line is their mean, a band shows one standard deviation to each
    side, and thin lines show the single trainings.

    Args:
        histories: per model and training, columns epoch, loss, accuracy, val_loss, val_accuracy (NaN without
            validation).
        quantity: what to draw.
    """
    figure = Figure((WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    every = [history for trainings in histories.values() for history in trainings]
    for model, style in styles([*histories]).items():
        _curve(axes, histories[model], quantity, style, "training")
        _curve(axes, histories[model], f"val_{quantity}", style, "validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set(xlabel="epoch", xlim=(0.5, max(map(len, every)) + 0.5))
    if quantity == "accuracy":
        axes.yaxis.set_major_formatter(PERCENT)
    axes.set_ylabel("accuracy" if quantity == "accuracy" else "loss (nats)")
    axes.set_title(f"{quantity.capitalize()} per epoch")
    validated = any(history[f"val_{quantity}"].notna().any() for history in every)
    _explain_lines(axes, {"training": GREY, "validation": "white"} if validated else {"training": GREY})
    _explain_models(figure, [*histories])
    return figure


def _curve(axes: Axes, trainings: Sequence[pd.DataFrame], column: str, style: Style, line: str) -> None:
    """Draw the mean of a column over the trainings and, if there are several, its spread and each of them."""
    values = pd.concat([history.set_index("epoch")[column] for history in trainings], axis=1)
    mean = values.mean(axis=1)
    if len(trainings) > 1:
        sd = values.std(axis=1)
        axes.fill_between(mean.index, mean - sd, mean + sd, color=style.color, alpha=0.15, linewidth=0)
        axes.plot(mean.index, values, color=style.color, linestyle=LINES[line], linewidth=0.5, alpha=0.6)
    axes.plot(
        mean.index,
        mean,
        **style._asdict(),
        linestyle=LINES[line],
        markerfacecolor="white" if line == "validation" else style.color,
        markevery=max(1, len(mean) // 10),
    )


@styled
def confusion(counts: np.ndarray, class_names: Sequence[str], model: str) -> Figure:
    """Draw a confusion matrix as a heat map, in percent of each actual class.

    Args:
        counts: int (K, K), images; rows are actual classes, columns predicted classes.
        class_names: K names.
        model: its name, for the title.
    """
    with np.errstate(invalid="ignore"):  # a class without images becomes NaN and is drawn white
        percent = 100 * counts / counts.sum(axis=1, keepdims=True)
    numbered = len(class_names) <= NUMBERED
    side = max(4.4, 1.7 + len(class_names) * (0.47 if numbered else 0.2))
    figure = Figure((min(side, SIDE), min(side, SIDE)), layout="constrained")
    axes = figure.subplots()
    names = [shorten(name, 20) for name in fonts.drawable(class_names, "class")]
    _heatmap(axes, pd.DataFrame(percent, names, names), numbered)
    title = f"{shorten(model, 30)}: confusion matrix, in %"
    axes.set(xlabel="predicted class", ylabel="actual class, each row 100 %", title=title)
    return figure


def _heatmap(axes: Axes, percent: pd.DataFrame, numbered: bool) -> None:
    """Draw percentages as colours, with numbers in the cells or a colour scale."""
    names = True if len(percent) <= ROWS else "auto"  # "auto" leaves out overlapping names
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


@styled
def predictions(
    images: np.ndarray,
    actual: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    model: str,
) -> Figure:
    """Show images with true and predicted class; errors have a cross and a thick frame.

    Args:
        images: uint8 (N, H, W, 3).
        actual: int (N,), 0 to K - 1.
        predicted: the same.
        confidence: float (N,), probability of the predicted class.
        class_names: K names.
        model: its name, for the title.
    """
    names = [shorten(name, 14) for name in fonts.drawable(class_names, "class")]
    rows = -(-len(images) // ACROSS)
    figure = Figure((WIDTH, 0.4 + 1.95 * rows), layout="constrained")
    axes = figure.subplots()  # one for all: each would take as long as all images
    axes.set_axis_off()
    axes.set_title(f"{shorten(model, 40)}: predictions for random test images", pad=4)
    answers = zip(images, actual, predicted, confidence, strict=True)
    for index, (image, truth, guess, share) in enumerate(answers):
        row, column = divmod(index, ACROSS)
        _picture(axes, (1.05 * column, 1.3 * row), image, names[truth], names[guess], share, truth != guess)
    axes.set(xlim=(-0.03, 1.05 * ACROSS - 0.02), ylim=(1.3 * rows - 0.15, -0.15))
    return figure


def _picture(
    axes: Axes,
    corner: tuple[float, float],
    image: np.ndarray,
    truth: str,
    guess: str,
    confidence: float,
    wrong: bool,
) -> None:
    """Draw an image of side 1 with a frame, its class above and its prediction below."""
    left, top = corner
    extent = within(left, top, image)
    axes.imshow(image, interpolation="nearest", extent=extent)
    color, width = (WRONG, 3.5) if wrong else (GREY, 0.8)
    axes.add_patch(framed(extent, edgecolor=color, linewidth=width))
    axes.text(left + 0.5, top - 0.03, f"true: {truth}", fontsize=8, ha="center", va="bottom")
    answer = f"{'✗' if wrong else '✓'} {guess} {100 * confidence:.0f} %"
    color = WRONG_TEXT if wrong else "black"
    axes.text(left + 0.5, top + 1.03, answer, fontsize=8, ha="center", va="top", color=color)


@styled
def class_accuracy(table: pd.DataFrame, class_names: Sequence[str]) -> Figure:
    """Draw accuracy per class and model with intervals, the easiest class on average on top.

    Small dots are the single trainings, if a model has several.

    Args:
        table: model, label (0 to K - 1), accuracy, low, high (0 to 1), accuracies (a list, by training).
        class_names: K names.
    """
    models = [*table["model"].unique()]
    hardest = table.groupby("label")["accuracy"].mean().sort_values(kind="stable").index
    order = hardest[:ROWS]
    figure = Figure((WIDTH, 1.4 + len(order) * (0.16 + 0.13 * len(models))), layout="constrained")
    axes = figure.subplots()
    for index, (model, style) in enumerate(styles(models).items()):
        rows = table[table["model"] == model].set_index("label").loc[order]
        places = np.arange(len(order)) + 0.72 * ((len(models) - 1) / 2 - index) / len(models)
        for place, each in zip(places, rows["accuracies"], strict=True):
            if len(each) > 1:
                axes.plot(each, [place] * len(each), ".", color=style.color, markersize=6, alpha=0.6)
        axes.errorbar(
            rows["accuracy"],
            places,
            xerr=_reach(rows["accuracy"], rows["low"], rows["high"]),
            **style._asdict(),
            linestyle="none",
            elinewidth=1.2,
        )
    names = fonts.drawable(class_names, "class")
    _name_rows(axes, [shorten(names[label], 20) for label in order])
    axes.xaxis.set_major_formatter(PERCENT)
    axes.set_xlabel("test accuracy, 95 % interval")
    more = f", the hardest {ROWS} of {len(hardest)}" if len(hardest) > ROWS else ""
    axes.set_title(f"Accuracy per class{more}")
    _explain_models(figure, models)
    return figure


@styled
def differences(pairs: Sequence["Difference"]) -> Figure:
    """Draw the lead of each pair of models with its interval, and the outcome in words: a row per pair.

    Args:
        pairs: from `replicates.differences`; those without an estimate are left out.
    """
    shown = [(pair, pair.estimate) for pair in reversed(pairs) if pair.estimate]
    figure = Figure((WIDTH, 1.5 + 0.5 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-100 * MARGIN, 100 * MARGIN, color="0.92", linewidth=0, zorder=0)
    axes.axvline(0, color="0.4", linewidth=1)
    for row, (pair, estimate) in enumerate(shown):
        low, lead, high = (100 * value for value in (estimate.low, pair.lead, estimate.high))
        axes.errorbar(
            lead,
            row,
            xerr=_reach([lead], [low], [high]),
            color=COLOURS[0],
            marker="o",
            elinewidth=1.6,
            capsize=3,
        )
        axes.annotate(
            pair.outcome.value, (lead, row), (0, 7), textcoords="offset points", ha="center", fontsize=8
        )
    _name_rows(axes, [f"{shorten(pair.first, 16)} - {shorten(pair.second, 16)}" for pair, _ in shown])
    axes.set_xlabel("difference in test accuracy, points; intervals hold together at 95 %")
    axes.set_title(f"Differences of models; grey: less than {100 * MARGIN:g} points")
    return figure


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Label rows from the bottom up, with grid lines between the rows."""
    axes.set_yticks(range(len(names)), names)
    axes.set_yticks(np.arange(1, len(names)) - 0.5, minor=True)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="y", which="minor")
    axes.set_ylim(-0.6, len(names) - 0.4)


def _reach(value: ArrayLike, low: ArrayLike, high: ArrayLike) -> np.ndarray:
    """Return the lengths of an interval below and above its value, clipped at 0 against rounding."""
    return np.maximum([np.subtract(value, low), np.subtract(high, value)], 0)


@styled
def reliability(probabilities: Mapping[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Draw accuracy against confidence for all models, and the share of images per bin below.

    Args:
        probabilities: per model, float (N, K), rows sum to 1.
        labels: int (N,).
    """
    figure = Figure((WIDTH, 5.8), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], color=GREY, linestyle=LINES["confidence = accuracy"])
    for model, style in styles([*probabilities]).items():
        table = metrics.reliability(probabilities[model], labels)
        middle = (table["lower"] + table["upper"]) / 2
        below.plot(middle, table["images"] / table["images"].sum(), **style._asdict())
        _reliability_line(above, table[table["images"] > 0], style)
    above.set(ylabel="accuracy", title="Reliability diagram")
    below.set(ylabel="test images", xlabel="confidence (probability of the predicted class)")
    for axes in (above, below):
        axes.yaxis.set_major_formatter(PERCENT)
    below.xaxis.set_major_formatter(PERCENT)
    _explain_lines(above, {"confidence = accuracy": None})
    _explain_models(figure, [*probabilities])
    return figure


def _reliability_line(axes: Axes, table: pd.DataFrame, style: Style) -> None:
    right = (table["accuracy"] * table["images"]).round().astype(int)
    intervals = [accuracy_interval.wilson(*counts) for counts in zip(right, table["images"], strict=True)]
    low, high = np.transpose(intervals)
    axes.errorbar(
        table["confidence"],
        table["accuracy"],
        yerr=_reach(table["accuracy"], low, high),
        **style._asdict(),
        elinewidth=0.9,
    )


@styled
def ood_scores(scores: Mapping[str, pd.DataFrame], detectors: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw histograms of the ID scores of test and OOD images: a row per model, a column per OOD dataset.

    Args:
        scores: by model, columns dataset (`test` or an OOD dataset) and id_score.
        detectors: by model, `threshold`, and `auroc` by OOD dataset.
    """
    datasets = [*next(iter(detectors.values()))["auroc"]]
    figure = Figure((WIDTH, 0.8 + 1.25 * len(scores)), layout="constrained")
    grid = figure.subplots(len(scores), len(datasets), sharex="row", sharey="row", squeeze=False)
    for row, (model, style) in zip(grid, styles([*scores]).items(), strict=True):
        groups = scores[model].groupby("dataset")["id_score"]
        by_dataset = {str(dataset): group.to_numpy() for dataset, group in groups}
        low, high = np.quantile(scores[model]["id_score"], [0.002, 0.998])
        edges = np.linspace(low, high, SCORE_BINS + 1)
        for axes, dataset in zip(row, datasets, strict=True):
            _score_histograms(axes, edges, by_dataset["test"], by_dataset[dataset], style.color)
            axes.axvline(detectors[model]["threshold"], color="black", linewidth=1, linestyle=":")
            axes.set_title(f"AUROC {detectors[model]['auroc'][dataset]:.2f}", fontsize=8, fontweight="normal")
            axes.set(yticks=[], xticks=[])
            axes.spines[["top", "left", "right"]].set_visible(False)
            axes.grid(visible=False)
        row[0].set_ylabel(shorten(model, 16), fontsize=9)
    for axes, dataset in zip(grid[-1], datasets, strict=True):
        axes.set_xlabel(dataset, fontsize=9, fontweight="bold")
    figure.suptitle("ID scores: test images in grey, OOD images in colour")
    figure.supxlabel("ID score; left of the dotted threshold: none of these", fontsize=8)
    return figure


def _score_histograms(
    axes: Axes, edges: np.ndarray, id_images: np.ndarray, ood_images: np.ndarray, color: str
) -> None:
    """Draw both histograms as shares of their images; values beyond the edges count at the edges."""
    for values, filled in ((id_images, True), (ood_images, False)):
        shares = np.histogram(values.clip(edges[0], edges[-1]), edges)[0] / len(values)
        axes.stairs(shares, edges, fill=filled, color="0.82" if filled else color, linewidth=1.3)


def _explain_models(figure: Figure, models: Sequence[str]) -> None:
    """Add a legend of the models below the figure, in as many columns as fit."""
    handles = [
        Line2D([], [], **style._asdict(), label=shorten(model, 40)) for model, style in styles(models).items()
    ]
    longest = max(len(str(handle.get_label())) for handle in handles)
    columns = max(1, min(len(handles), 75 // (longest + 7)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def _explain_lines(axes: Axes, faces: Mapping[str, str | None]) -> None:
    """Add a legend of the line styles inside the axes; `faces` are the marker colours, None for no marker."""
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
