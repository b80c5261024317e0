"""Table and figure of benchmarks/learning_curve.py."""

from pathlib import Path
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks import report_files
from benchmarks.text import where
from cifar10.report import plots

NAME = "learning_curve"


def write(found: dict[str, Any], stem: Path) -> None:
    """Write the JSON, the table and the figure; `stem` is their path without a suffix."""
    report_files.write(stem, found, markdown(found), chart(found))


def accuracies(found: dict[str, Any]) -> dict[str, dict[float, list[float]]]:
    """Collect the accuracies by network and mean number of pictures per class, over the seeds."""
    collected: dict[str, dict[float, list[float]]] = {}
    limited = [row for row in found["rows"] if row["per_class"] != "all"]
    classes = max((row["images"] / row["per_class"] for row in limited), default=10)
    for row in found["rows"]:
        places = collected.setdefault(row["model"], {})
        places.setdefault(row["images"] / classes, []).append(row["accuracy"])
    return {name: dict(sorted(places.items())) for name, places in collected.items()}


def markdown(found: dict[str, Any]) -> str:
    """Write a row per number of pictures and a column per network."""
    by_model = accuracies(found)
    counts = sorted({count for places in by_model.values() for count in places})
    lines = [f"| pictures per class | {' | '.join(by_model)} |", "|---:|" + "---:|" * len(by_model)]
    for count in counts:
        cells = [_cell(places.get(count, [])) for places in by_model.values()]
        lines.append(f"| {count:,.0f} | {' | '.join(cells)} |")
    seeds = len({row["seed"] for row in found["rows"]})
    told = f"means, with the lowest and the highest of {seeds} seeds" if seeds > 1 else "one seed"
    return (
        "# Accuracy by number of training pictures\n\n"
        + "\n".join(lines)
        + f"\n\nTest accuracy ({told}). *pretrained* is a frozen EfficientNet-Lite0 with ImageNet weights. "
        f"A training has at least {found['steps']:,} steps. Measured on {found['data']}; "
        f"{where(found['machine'])}.\n"
    )


def _cell(values: list[float]) -> str:
    if not values:
        return "-"
    mean = f"{100 * np.mean(values):.1f} %"
    return mean if len(values) == 1 else f"{mean} ({100 * min(values):.1f} to {100 * max(values):.1f})"


def chart(found: dict[str, Any]) -> Figure:
    """Plot the mean accuracy of each network, and the range over seeds."""
    by_model = accuracies(found)
    with sns.axes_style("whitegrid", {"grid.color": "0.9"}), sns.plotting_context("paper", font_scale=1.1):
        figure = Figure(figsize=(plots.WIDTH, 4), layout="constrained")
        axes = figure.subplots()
        for index, (name, places) in enumerate(by_model.items()):
            counts = list(places)
            color = plots.COLOURS[index % len(plots.COLOURS)]
            marker = plots.MARKERS[index % len(plots.MARKERS)]
            axes.plot(
                counts, [np.mean(each) for each in places.values()], color=color, marker=marker, label=name
            )
            low, high = ([extreme(each) for each in places.values()] for extreme in (min, max))
            axes.fill_between(counts, low, high, color=color, alpha=0.2, linewidth=0)
        axes.set(xscale="log", xlabel="training pictures per class", ylabel="test accuracy")
        counts = sorted({count for places in by_model.values() for count in places})
        axes.set_xticks(counts, [f"{count:,.0f}" for count in counts])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(plots.PERCENT)
        axes.legend()
        return figure
