"""Write the results of a benchmark as Markdown."""

from typing import Any

from benchmarks import timing
from benchmarks.results import rows, steps


def markdown(report: dict[str, Any]) -> str:
    """Write the tables and the conditions of the measurement."""
    paragraphs = [
        "# Benchmark",
        "\n".join(table(report)),
        measured(report),
        " ".join(compared(report)),
        where_and_peak(report),
        "\n".join(memory(report)),
        bandwidth(report),
        growth(report["growth"]),
    ]
    return "\n\n".join(paragraphs) + "\n"


def table(report: dict[str, Any]) -> list[str]:
    """Write a row per side."""
    onednn = "notebook_onednn" in report["sides"]
    extra = " relative to notebook with oneDNN |" if onednn else ""
    lines = [
        f"| side | wall time | relative to notebook |{extra} images/s | share of peak "
        "| memory of the largest process |",
        f"|---|---:|---:|{'---:|' if onednn else ''}---:|---:|---:|",
    ]
    for row in rows(report):
        extra = f" {row['ratio_onednn']:.2f} |" if onednn else ""
        lines.append(
            f"| {row['name']} | {row['seconds']:.1f} s | {row['ratio']:.2f} |{extra} {row['rate']:,.0f} "
            f"| {row['share']:.0%} | {row['peak_bytes'] / 1e9:.2f} GB |"
        )
    return lines


def measured(report: dict[str, Any]) -> str:
    """Describe the trainings and the measurement."""
    chosen = report["settings"]
    times = "once each" if chosen["repeats"] == 1 else f"{chosen['repeats']} times in turn, medians"
    return (
        f"{len(chosen['models'])} models, {epochs(chosen['epochs'])} of {chosen['images']:,} images, "
        f"batch size {chosen['batch_size']}, {times}; whole processes from start to exit. The pipeline "
        f"trains {chosen['jobs']} models at once, with one thread each; the other sides train one after the "
        "other, with their library's default number of threads. Memory is the resident set, sampled every "
        f"{timing.INTERVAL} s: shorter peaks can be missed."
    )


def compared(report: dict[str, Any]) -> list[str]:
    """Describe the settings of the sides."""
    sides = report["sides"]
    said = ["The baseline notebook and PyTorch use the defaults of their libraries."]
    if "notebook_onednn" in sides:
        said.append("*oneDNN on* sets `TF_ENABLE_ONEDNN_OPTS=1` and nothing else.")
    elif report["onednn_by_itself"]:
        said.append(
            "TensorFlow uses oneDNN by default on this processor "
            f"({', '.join(report['onednn_by_itself'])}), so the notebook has only one row."
        )
    if "pipeline_fastest" in sides:
        cost = sides["pipeline"]["seconds"] / sides["pipeline_fastest"]["seconds"]
        said.append(
            "`train.portable: true` limits TensorFlow to AVX2, for the same bytes on every x86-64 processor "
            "with AVX2 and FMA; `false` allows AVX-512. The cost of portability: with `true` "
            f"the pipeline takes {cost:.2f} times as long as with `false`."
        )
    return said


def where(machine: dict[str, Any]) -> str:
    """Describe the computer: processor, instruction sets, cores."""
    avx512 = "with" if "avx512f" in machine["flags"] else "without"
    cores = f"{machine['cores']} core{'s' if machine['cores'] > 1 else ''}"
    return f"{machine['processor']}, flags {' '.join(machine['flags'])}, {avx512} AVX-512, {cores}"


def where_and_peak(report: dict[str, Any]) -> str:
    """Describe the machine, its peak and the counted operations."""
    machine, peak = report["machine"], report["peak"]
    return (
        f"Measured on {where(machine)}, {machine['memory_bytes'] / 1e9:.0f} GB, {machine['system']}, "
        f"Python {machine['python']}. The peak, {peak['flops_per_second'] / 1e9:,.0f} GFLOP/s, is the best "
        "of several float32 matrix products on all cores, with AVX-512 where available. A multiplication and "
        "an addition count as two operations, the backward pass as twice the forward pass, without the "
        "gradient of the images; activations, pooling, loss and optimizer are not counted."
    )


def memory(report: dict[str, Any]) -> list[str]:
    """Write the table of the training steps."""
    return [
        "| model | side | bytes per step | time per step | bandwidth | share of triad |",
        "|---|---|---:|---:|---:|---:|",
        *(
            f"| {row['model']} | {row['name']} | {row['bytes'] / 1e6:.1f} MB | {row['milliseconds']:.2f} ms "
            f"| {row['rate'] / 1e9:.1f} GB/s | {row['share']:.0%} |"
            for row in steps(report)
        ),
    ]


def bandwidth(report: dict[str, Any]) -> str:
    """Describe the counted bytes and the measured bandwidth."""
    found = {int(count): rate / 1e9 for count, rate in report["peak"]["triad_bytes_per_second"].items()}
    reached = [
        f"{rate:.1f} GB/s with {count} process{'es at once' if count > 1 else ''}"
        for count, rate in found.items()
    ]
    return (
        "A step must move six float32 numbers per weight, and two more per moment of the optimizer: it reads "
        "the weight in the forward pass and for the gradient of the inputs, writes and reads the gradient of "
        "the weight, and reads and writes the weight and each moment. Images and activations are not "
        "counted. One training runs alone, pinned as in the pipeline; the fastest of several calls counts. "
        f"The triad a = b + s*c reaches {' and '.join(reached)}, in NumPy, on arrays much larger than the "
        "cache; as in [STREAM](https://www.cs.virginia.edu/stream/ref.html), an element counts as three "
        "numbers, here of 4 bytes. The share refers to the bandwidth of one process. Weights that fit into "
        "the cache cause less memory traffic than counted."
    )


def epochs(count: int) -> str:
    """Format a number of epochs, with the noun in singular or plural."""
    return f"{count} epoch{'s' if count > 1 else ''}"


def growth(found: dict[str, Any]) -> str:
    """Describe the growth of the pipeline's wall time."""
    by_models = [f"{seconds:.1f} s for {count}" for count, seconds in found["seconds_by_models"].items()]
    by_images = [
        f"{seconds:.1f} s for {int(count):,}" for count, seconds in found["seconds_by_images"].items()
    ]
    return (
        f"Wall time of the pipeline with `train.portable: true` and {epochs(found['epochs'])}: by number of "
        f"models, on {found['images_of_models']:,} images, {', '.join(by_models)}; by number of images, with "
        f"all models, {', '.join(by_images)}."
    )
