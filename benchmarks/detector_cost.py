"""Time `cifar10-classify` on 1,000 pictures, with its OOD detectors and without them.

Without: benchmarks/plain_prediction.py, which reads the same PNG files of test images and predicts with the
same networks. Whole processes are timed, from start to exit, in turn: each model with all its trainings, then
all models at once. Environment variable: REPEATS (default: 3). Writes reports/detector_cost.json and .md.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.latency import busy
from benchmarks.record import record
from benchmarks.run import environment, number
from benchmarks.text import where
from benchmarks.timing import in_turn
from cifar10 import errors, files, machine, params, paths
from cifar10.data import dataset

# isort: split
import psutil

IMAGES = 1000
ALL = "all models"
STEM = paths.REPORTS / "detector_cost"
PLAIN = Path(__file__).with_name("plain_prediction.py")
SIDES = {"detector": ["-m", "cifar10.predict"], "plain": [str(PLAIN)]}


def main() -> None:
    """Run both sides, write the results."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    chosen, repeats, load = params.load(), number("REPEATS", 3), psutil.getloadavg()[0]
    cases = {name: ["--model", name] for name in chosen.models}
    if len(cases) > 1:
        cases[ALL] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        pictures = write_pictures(Path(folder))
        runs = {
            case: in_turn(commands([*options, folder]), repeats, environment())
            for case, options in cases.items()
        }
    report = {
        "machine": machine.describe(),
        "load": load,
        "source": files.read_json(paths.SOURCE)["source"],
        "seeds": chosen.train.seeds,
        "images": pictures,
        "seconds": runs,
    }
    record(STEM, report, markdown(report))


def write_pictures(folder: Path) -> int:
    """Write IMAGES test images as PNG files; fewer test images are repeated. Return their number."""
    images = dataset.load("test").images
    for index in range(IMAGES):
        Image.fromarray(images[index % len(images)]).save(folder / f"{index:04d}.png")
    return IMAGES


def commands(arguments: list[str]) -> dict[str, list[str]]:
    """Return the command of each side."""
    return {side: [sys.executable, *command, *arguments] for side, command in SIDES.items()}


def markdown(report: dict[str, Any]) -> str:
    """Write the table and the conditions of the measurement."""
    clock = "cpu" if busy(report) else "wall"
    lines = ["| models | with OOD detector | without | ratio |", "|---|---:|---:|---:|"]
    for case, sides in report["seconds"].items():
        ours, plain = (statistics.median(sides[side][clock]) for side in SIDES)
        lines.append(f"| {case} | {ours:.1f} s | {plain:.1f} s | {ours / plain:.2f} |")
    repeats = len(next(iter(report["seconds"].values()))["plain"]["wall"])
    told = [
        f"{report['images']:,} files with `cifar10-classify`, from start to exit, and the same prediction "
        f"without OOD detector. Trainings of each model: {len(report['seeds'])}. Medians of the runs of each "
        f"side, in turn; their number: {repeats}.",
        f"The networks are those of `data.source: {report['source']}`.",
        f"These are CPU times: the load average at the start was {report['load']:.1f}; "
        f"reports/{STEM.name}.json has the wall times."
        if busy(report)
        else "",
        f"Measured on {where(report['machine'])}.",
    ]
    return "\n".join(["# Cost of the OOD detector", "", *lines, "", " ".join(filter(None, told)), ""])


if __name__ == "__main__":
    errors.run(main)
