"""Time the classification of 1,000 pictures: cifar10-classify against the baseline notebook.

The baseline notebook makes one prediction per picture. Both sides get the same PNG files, of test images, and
the first model of params.yaml with its first seed. Whole processes are timed, from start to exit, in turn.
Environment variable: REPEATS (default: 3). Writes reports/classify.json and .md.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.record import record
from benchmarks.run import environment, number
from benchmarks.text import where
from benchmarks.timing import timed
from cifar10 import errors, machine, params, paths
from cifar10.data import dataset

IMAGES = 1000
STEM = paths.REPORTS / "classify"
ONE_BY_ONE = Path(__file__).with_name("one_by_one.py")


def main() -> None:
    """Run both sides, write the results."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    chosen, repeats = params.load(), number("REPEATS", 3)
    model, seed = next(iter(chosen.models)), chosen.train.seeds[0]
    seconds: dict[str, list[float]] = {"one_by_one": [], "command": []}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for index, image in enumerate(dataset.load("test").images[:IMAGES]):
            Image.fromarray(image).save(Path(folder) / f"{index:04d}.png")
        sides = {
            "one_by_one": [str(ONE_BY_ONE), str(paths.model(model, seed)), folder],
            "command": ["-m", "cifar10.predict", "--model", model, "--seed", str(seed), folder],
        }
        for _ in range(repeats):
            for name, arguments in sides.items():
                seconds[name].append(timed([sys.executable, *arguments], Path.cwd(), environment()).seconds)
        pictures = len([*Path(folder).iterdir()])
    report = {
        "machine": machine.describe(),
        "model": model,
        "seed": seed,
        "images": pictures,
        "seconds": seconds,
    }
    record(STEM, report, markdown(report))


def markdown(report: dict) -> str:
    """Describe the results in a sentence."""
    medians = {name: statistics.median(runs) for name, runs in report["seconds"].items()}
    ours, theirs = medians["command"], medians["one_by_one"]
    return (
        "# Time to classify\n\n"
        f"{report['images']:,} files take {ours:.1f} s from start to exit with {report['model']}, "
        f"against {theirs:.1f} s for one prediction per picture, as in the baseline notebook. "
        f"Medians of {len(report['seconds']['command'])} runs each, in turn. "
        f"Measured on {where(report['machine'])}.\n"
    )


if __name__ == "__main__":
    errors.run(main)
