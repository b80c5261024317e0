"""What a benchmark found, as JSON, Markdown and a chart under reports/."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar10 import files, paths, plots

STEM = paths.REPORTS / "benchmark"
NAMES = {"notebook": "notebook (Keras fit)", "pipeline": "this pipeline", "pytorch": "plain PyTorch"}
OURS, OTHERS = "#0173b2", "#949494"  # of seaborn's colorblind palette


def write(report: dict[str, Any]) -> None:
    """Write all three and print the table."""
    files.write_json(STEM.with_suffix(".json"), report)
    text = markdown(report)
    files.write_text(STEM.with_suffix(".md"), text)
    with files.replacing(STEM.with_suffix(".png")) as beside:
        plots.save(chart(report), beside)
    print(text)


def rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Compute a row per side: seconds, ratio to the notebook, images/s, share of the peak, memory."""
    chosen, peak = report["settings"], report["peak"]
    images = chosen["images"] * chosen["epochs"]
    work = images * sum(peak["flops_per_image"].values())
    notebook = report["sides"]["notebook"]["seconds"]
    return [
        {
            "name": name,
            "seconds": side["seconds"],
            "ratio": side["seconds"] / notebook,
            "rate": images * len(chosen["models"]) / side["seconds"],
            "share": work / side["seconds"] / peak["flops_per_second"],
            "peak_bytes": side["peak_bytes"],
        }
        for name, side in report["sides"].items()
    ]


def markdown(report: dict[str, Any]) -> str:
    """Write the table and what it says about how it was measured."""
    chosen, machine, peak = report["settings"], report["machine"], report["peak"]
    lines = [
        "# Benchmark",
        "",
        "| side | wall time | of the notebook's | images/s | share of peak | memory of the largest process |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {NAMES[row['name']]} | {row['seconds']:.1f} s | {row['ratio']:.2f} | {row['rate']:,.0f} "
        f"| {row['share']:.0%} | {row['peak_bytes'] / 1e9:.2f} GB |"
        for row in rows(report)
    ]
    times = "once each" if chosen["repeats"] == 1 else f"{chosen['repeats']} times in turn, medians"
    lines += [
        "",
        f"{len(chosen['models'])} models, {epochs(chosen['epochs'])} of {chosen['images']:,} images, "
        f"batch size {chosen['batch_size']}, {times}; whole processes from start to exit. The pipeline "
        f"trains {chosen['jobs']} models at once, one thread each; the others one after the other, with as "
        "many threads as their library takes.",
        "",
        f"Measured on {machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 1e9:.0f} "
        f"GB, Python {machine['python']}. The peak, {peak['flops_per_second'] / 1e9:,.0f} GFLOP/s, is the "
        "best of several float32 matrix products on all cores. A multiplication and an addition count as "
        "two operations, the backward pass as twice the forward one without the gradient of the images; "
        "activations, pooling, loss and optimizer are not counted.",
        "",
        *growth(report["growth"]),
    ]
    return "\n".join(lines)


def epochs(count: int) -> str:
    """Write a number of epochs."""
    return f"{count} epoch{'s' if count > 1 else ''}"


def growth(found: dict[str, Any]) -> list[str]:
    """Write how the pipeline's time grows."""
    by_models = [f"{count}: {seconds:.1f} s" for count, seconds in found["seconds_by_models"].items()]
    by_images = [f"{int(count):,}: {seconds:.1f} s" for count, seconds in found["seconds_by_images"].items()]
    return [
        f"How the pipeline's time grows, at {epochs(found['epochs'])}: with models, on "
        f"{found['images_of_models']:,} images, {', '.join(by_models)}; with images, all models, "
        f"{', '.join(by_images)}.",
        "",
    ]


def chart(report: dict[str, Any]) -> Figure:
    """Draw the wall times and how the pipeline's time grows."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    wall, models, images = figure.subplots(1, 3)
    found = rows(report)
    colors = [OURS if row["name"] == "pipeline" else OTHERS for row in found]
    bars = wall.barh([NAMES[row["name"]] for row in found], [row["seconds"] for row in found], color=colors)
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
        axes.set(
            title=f"Growth with {label}", xlabel=label, ylabel="wall time (s)", xlim=(0, None), ylim=(0, None)
        )
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(alpha=0.4)
    return figure
