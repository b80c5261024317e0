"""The figure of accuracy against cost."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from cifar10.report.costs import Point, words
from cifar10.report.plots import GREY, PERCENT, WIDTH, _explain_models, _reach, styled, styles


@styled
def accuracy(points: Sequence[Point], models: Sequence[str]) -> Figure:
    """Draw test accuracy with its interval against the multiply-adds of an answer, on a logarithmic axis.

    A filled marker is one training of a model, an open one the ensemble of its trainings.

    Args:
        points: at least one.
        models: names of all models, in the order of their colours.
    """
    figure = Figure((WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    looks = styles(models)
    for name in dict.fromkeys(point.name for point in points):
        own = [(point.multiply_adds, point.accuracy) for point in points if point.name == name]
        axes.plot(*zip(*own, strict=True), color=looks[name].color, linestyle=":")
    for point in points:
        style = looks[point.name]
        axes.errorbar(
            point.multiply_adds,
            point.accuracy,
            yerr=_reach([point.accuracy], [point.low], [point.high]),
            **style._asdict(),
            markerfacecolor=style.color if point.trainings == 1 else "white",
            linestyle="none",
            elinewidth=1.2,
            capsize=3,
        )
    everything = [point.multiply_adds for point in points]
    axes.set_xlim(min(everything) / 2, max(everything) * 2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: _tick(count)))
    axes.yaxis.set_major_formatter(PERCENT)
    axes.set(xlabel="multiply-adds of an answer", ylabel="test accuracy, 95 % interval")
    axes.set_title("Accuracy and cost")
    _explain_markers(axes, max(point.trainings for point in points))
    _explain_models(figure, models)
    return figure


def _tick(count: float) -> str:
    """Write a round number of multiply-adds: 500,000, 2 M, 1 G."""
    value, _, unit = words(round(count)).partition(" ")
    return f"{float(value):g} {unit}" if unit else value


def _explain_markers(axes: Axes, trainings: int) -> None:
    """Add a legend of the markers, if there are ensembles."""
    if trainings < 2:
        return
    entries = {"one training": GREY, f"ensemble of {trainings} trainings": "white"}
    handles = [
        Line2D([], [], color=GREY, marker="o", linestyle="none", markerfacecolor=face, label=label)
        for label, face in entries.items()
    ]
    axes.legend(handles=handles, loc="best", frameon=True)
