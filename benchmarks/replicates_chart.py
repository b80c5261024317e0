"""Chart of the results of benchmarks/replicates.py: false positives and power by number of trainings."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from cifar10.report import plots

LIMIT = 0.05
MOST_IMAGES = 10_000  # of the settings in the chart


def chart(report: dict[str, Any]) -> Figure:
    """Plot the false positives of two quantiles, and the power, by number of trainings."""
    with sns.axes_style("whitegrid", {"grid.color": "0.9"}), sns.plotting_context("paper", font_scale=1.1):
        figure = Figure(figsize=(12, 3.8), layout="constrained")
        used, satterthwaite, power = figure.subplots(1, 3)
        limits = (0, 1.1 * max(LIMIT, *(row["welch_satterthwaite"] for row in report["level"])))
        for axes, key, title in (
            (used, "false_positives", "False positives"),
            (satterthwaite, "welch_satterthwaite", "False positives, Satterthwaite's df alone"),
        ):
            draw_levels(axes, report, key)
            axes.set(title=title, xlabel="trainings of each model", ylim=limits)
        used.legend(title="sd over trainings (points)", fontsize="small", title_fontsize="small")
        draw_powers(power, report)
        return figure


def draw_levels(axes: Axes, report: dict[str, Any], key: str) -> None:
    """Draw a line per spread of the models at 67 % accuracy and 10,000 images."""
    rows = [row for row in report["level"] if len(set(row["seeds"])) == 1 and row["images"] == MOST_IMAGES]
    for index, (spreads, group) in enumerate(groupby(rows, key=lambda row: points(row["spreads"]))):
        known = list(group)
        axes.plot(
            [row["seeds"][0] for row in known],
            [row[key] for row in known],
            color=plots.COLOURS[index],
            marker=plots.MARKERS[index],
            label=spreads,
        )
    axes.axhline(LIMIT, color=plots.GREY, linestyle="--", linewidth=1)
    axes.yaxis.set_major_formatter(plots.PERCENT)
    ticks(axes, sorted({row["seeds"][0] for row in rows}))


def draw_powers(axes: Axes, report: dict[str, Any]) -> None:
    """Draw the simulated power as markers and the predicted one as lines."""
    for index, (spreads, group) in enumerate(groupby(report["power"], key=lambda row: row["spreads"][0])):
        known = list(group)
        style = {"color": plots.COLOURS[index]}
        seeds = [row["seeds"] for row in known]
        label = f"{100 * spreads:g}"
        axes.plot(seeds, [row["predicted"] for row in known], linestyle=":", **style)
        axes.plot(
            seeds, [row["power"] for row in known], plots.MARKERS[index], linestyle="", label=label, **style
        )
    axes.axhline(0.8, color=plots.GREY, linestyle="--", linewidth=1)
    axes.set(title="Power for a difference of one point", xlabel="trainings of each model", ylim=(0, 1.02))
    axes.yaxis.set_major_formatter(plots.PERCENT)
    axes.legend(
        title="sd (points);\ndotted: predicted",
        loc="upper left",
        bbox_to_anchor=(0, 0.78),
        fontsize="small",
        title_fontsize="small",
    )
    ticks(axes, sorted({row["seeds"] for row in report["power"]}))


def ticks(axes: Axes, values: Sequence[int]) -> None:
    """Use a logarithmic axis with a tick per number of trainings."""
    axes.set_xscale("log")
    axes.set_xticks(values, [str(value) for value in values])
    axes.xaxis.set_minor_locator(NullLocator())


def points(spreads: Sequence[float]) -> str:
    """Write standard deviations in points: "0.3, 0.3, 3"."""
    return ", ".join(f"{100 * spread:g}" for spread in spreads)
