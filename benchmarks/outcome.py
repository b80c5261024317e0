"""Write the results of a benchmark as JSON, Markdown and a chart in reports/."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks import report_files, results
from benchmarks.text import markdown
from cifar10 import paths

STEM = paths.REPORTS / "benchmark"
OURS, OTHERS = "#0173b2", "#949494"  # from seaborn's colorblind palette


def write(report: dict[str, Any]) -> None:
    """Write all three files and print the Markdown."""
    report_files.write(STEM, report, markdown(report), chart(report))


def chart(report: dict[str, Any]) -> Figure:
    """Plot the wall times and the growth of the pipeline's wall time."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    wall, models, images = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    found = results.rows(report)
    colors = [OURS if row["side"].startswith("pipeline") else OTHERS for row in found]
    bars = wall.barh([row["name"] for row in found], [row["seconds"] for row in found], color=colors)
    wall.bar_label(bars, [f"{row['seconds']:.0f} s" for row in found], padding=3)
    wall.invert_yaxis()
    wall.margins(x=0.25)
    wall.set(title="Training the models", xlabel="wall time (s)")
    grown = report["growth"]
    for axes, key, label in (
        (models, "seconds_by_models", "models"),
        (images, "seconds_by_images", "images"),
    ):
        points = {int(count): seconds for count, seconds in grown[key].items()}
        axes.plot(list(points), list(points.values()), marker="o", color=OURS)
        axes.set(title=f"Growth with {label}", xlabel=label, ylabel="wall time (s)")
        axes.set(xlim=(0, 1.08 * max(points)), ylim=(0, 1.08 * max(points.values())))  # room for markers
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(alpha=0.4)
    return figure
