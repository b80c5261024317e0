"""Time the features of a frozen EfficientNet-Lite0 with ImageNet weights: random pictures, one thread.

The time is that of the first training with this base: the pass over the pictures, their hash, the compilation
and the file of features. CPU seconds do not depend on other programs. Writes reports/features.json.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cifar10  # noqa: F401  before NumPy: it pins the arithmetic

# isort: split
import numpy as np

from benchmarks.learning_curve import PRETRAINED, with_pretrained
from cifar10 import arithmetic, errors, files, machine, params, paths
from cifar10.data.dataset import Split
from cifar10.training import tensorflow_setup

CLASSES = 10


def main() -> None:
    """Compute the features of random pictures, write and print the times."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--pictures", type=int, default=10_000, help="default: 10000")
    asked = parser.parse_args()
    chosen = with_pretrained(params.load())
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models

        models.make_deterministic(seed=0)
    report = {
        "machine": machine.describe(),
        "computed_with": arithmetic.in_effect(),
        **measure(chosen, asked.pictures),
    }
    files.write_json(paths.REPORTS / "features.json", report)
    print(json.dumps(report, indent=2))


def measure(chosen: params.Params, count: int) -> dict[str, Any]:
    """Return the number and the size of the pictures and features, and the seconds that they take."""
    from cifar10.training import prepared
    from cifar10.training.backbones import frozen

    base = chosen.models[PRETRAINED].base
    if base is None:
        raise errors.UserError(f"{PRETRAINED} has no base")
    shape = (base.image_size, base.image_size, 3)
    pictures = np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
    labels = np.arange(count) % CLASSES
    made = prepared.prepare(PRETRAINED, chosen, labels, [*"abcdefghij"], shape=shape)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        started, cpu = time.perf_counter(), time.process_time()
        features = frozen.with_features(made.model, base, Split(pictures, labels)).images
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    return {
        "base": base.name,
        "pictures": count,
        "pixels": base.image_size,
        "features": features.shape[1],
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "cpu_milliseconds_per_picture": 1000 * cpu_seconds / count,
    }


if __name__ == "__main__":
    errors.run(main)
