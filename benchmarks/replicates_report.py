"""Write the results of benchmarks/replicates.py as JSON, Markdown and a chart in reports/."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from cifar10 import files, paths
from cifar10.report import plots

STEM = paths.REPORTS / "replicates"
LIMIT = 0.05
MOST_IMAGES = 10_000  # of the settings in the chart


def write(report: dict[str, Any]) -> None:
    """Write all three files and print the Markdown."""
    files.write_json(STEM.with_suffix(".json"), report)
    text = markdown(report)
    files.write_text(STEM.with_suffix(".md"), text)
    with files.replacing(STEM.with_suffix(".png")) as beside:
        plots.save(chart(report), beside)
    print(text)


def markdown(report: dict[str, Any]) -> str:
    """Write the tables and the conditions."""
    return "\n\n".join(["# Replicates", levels(report), powers(report)]) + "\n"


def levels(report: dict[str, Any]) -> str:
    """Write the false positives and the coverage."""
    lines = [
        "| accuracy | test images | sd over trainings (points) | trainings | false positives "
        "| with Satterthwaite's df alone | McNemar, one training each | coverage of an accuracy |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {row['accuracies'][0]:.1%} | {row['images']:,} | {points(row['spreads'])} "
            f"| {trainings(row['seeds'])} | {row['false_positives']:.1%} | {row['welch_satterthwaite']:.1%} "
            f"| {row['mcnemar']:.1%} | {row['accuracy_coverage']:.1%} |"
            for row in report["level"]
        ),
    ]
    repeats = report["level_repeats"]
    worst = max(row["false_positives"] for row in report["level"])
    satterthwaite = max(row["welch_satterthwaite"] for row in report["level"] if min(row["seeds"]) > 2)
    error = math.sqrt(LIMIT * (1 - LIMIT) / repeats)
    return "\n".join(lines) + (
        f"\n\nThree equal models, {repeats:,} experiments per row. False positives: experiments in which one "
        "of the three intervals of a difference, at 5 % for all pairs together, excludes 0; in all others, "
        f"the three intervals are right, so that their coverage is at least {1 - worst:.1%}. The Monte-Carlo "
        f"standard error at 5 % is {error:.2%}. Satterthwaite's degrees of freedom alone give up to "
        f"{satterthwaite:.1%} false positives from three trainings on. The last column is the share of 95 % "
        "intervals of an accuracy that include the true one."
    )


def powers(report: dict[str, Any]) -> str:
    """Write the power and the coverage for a difference of one point."""
    lines = [
        "| sd over trainings (points) | trainings of each | power | predicted | coverage of the difference "
        "| trainings for 80 % power |",
        "|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {points(row['spreads'])} | {row['seeds']} | {row['power']:.1%} | {row['predicted']:.1%} "
            f"| {row['coverage']:.1%} | {row['needed'] or 'too few test images'} |"
            for row in report["power"]
        ),
    ]
    repeats, first = report["power_repeats"], report["power"][0]
    return "\n".join(lines) + (
        f"\n\nTwo models with true accuracies of {first['accuracies'][0]:.0%} and "
        f"{first['accuracies'][1]:.0%}, {first['images']:,} test images, {repeats:,} experiments per row; "
        f"the Monte-Carlo standard error is at most {math.sqrt(0.25 / repeats):.1%}. The prediction comes "
        "from the variance components."
    )


def points(spreads: Sequence[float]) -> str:
    """Write standard deviations in points: "0.3, 0.3, 3"."""
    return ", ".join(f"{100 * spread:g}" for spread in spreads)


def trainings(seeds: Sequence[int]) -> str:
    """Write the number of trainings, once if it is the same for all models."""
    return ", ".join(map(str, seeds)) if len(set(seeds)) > 1 else str(seeds[0])


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
