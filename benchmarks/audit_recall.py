"""Measure which copies of pictures the audit finds, and how long it takes for all pictures.

2,000 random pictures of data/processed are copied in several ways; `copies.find` looks for the pairs. Writes
reports/audit_recall.json and .md.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cifar10  # noqa: F401  before NumPy: it pins the arithmetic

# isort: split
import numpy as np
from PIL import Image

from benchmarks.record import record
from benchmarks.text import where
from cifar10 import errors, files, machine, paths
from cifar10.audit import copies
from cifar10.data import dataset
from cifar10.report import render

ASKED = 2000  # pictures
STEM = paths.REPORTS / "audit_recall"


def main() -> None:
    """Measure, write the outcome."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    images = np.concatenate([dataset.load(name).images for name in ("train", "validation", "test")])
    random = np.random.default_rng(0)
    some = images[random.permutation(len(images))[:ASKED]]
    started = time.perf_counter()
    pairs = copies.find(images)
    seconds = time.perf_counter() - started
    report = {
        "machine": machine.describe(),
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "pictures": len(some),
        "recall": {name: recall(some, change) for name, change in ways(images.shape[1]).items()},
        "all_pictures": len(images),
        "pairs": len(pairs),
        "seconds": seconds,
    }
    record(STEM, report, markdown(report))


def ways(side: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return by name the ways to copy a picture of this side."""
    return {
        "mirrored": lambda image: image[:, ::-1],
        "scaled to 3/4 and back": lambda image: scaled(image, side * 3 // 4),
        "scaled to 5/8 and back": lambda image: scaled(image, side * 5 // 8),
        "scaled to twice the size and back": lambda image: scaled(image, side * 2),
        "JPEG, quality 90": lambda image: compressed(image, 90),
        "JPEG, quality 60": lambda image: compressed(image, 60),
    }


def scaled(image: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture and back."""
    other = Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(other.resize(image.shape[1::-1], Image.Resampling.BICUBIC))


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    """Save a picture as a JPEG file and read it again."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def recall(images: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the share of pictures whose copy is found."""
    count = len(images)
    found = {pair[:2] for pair in copies.find(np.concatenate([images, [change(image) for image in images]]))}
    return sum((index, index + count) in found for index in range(count)) / count


def markdown(report: dict[str, Any]) -> str:
    """Write the outcome as Markdown."""
    rows = [f"| {name} | {100 * share:.2f} % |" for name, share in report["recall"].items()]
    table = "\n".join(["| copy | found |", "|---|---:|", *rows])
    return (
        f"# Copies that the audit finds\n\n{table}\n\n{report['pictures']:,} random pictures. The thresholds "
        f"were chosen on such pictures. Among all {report['all_pictures']:,} pictures the audit finds "
        f"{report['pairs']:,} pairs, in {report['seconds']:.0f} s. Measured on {report['data']}; "
        f"{where(report['machine'])}.\n"
    )


if __name__ == "__main__":
    errors.run(main)
