"""Compare two trainings of model_3 with one thread each to one training with two threads: images per second.

Processes are pinned as in the pipeline. They start their steps together; both arrangements run in turn.
Set in the environment: REPEATS (default 3) and STEPS per process (default 30). Writes reports/threads.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np

from benchmarks.run import number
from cifar10 import errors, files, machine, paths

NAME = "model_3"
IMAGES = 1024  # from which the steps draw
ARRANGEMENTS = {"two trainings, one thread each": (2, 1), "one training, two threads": (1, 2)}


def main() -> None:
    """Run the arrangements in turn and write the medians; with --threads, run one training."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    threads = parser.parse_args().threads
    if threads:
        training(threads)
        return
    steps = number("STEPS", 30)
    rates: dict[str, list[float]] = {name: [] for name in ARRANGEMENTS}
    for _ in range(number("REPEATS", 3)):
        for name, (trainings, each) in ARRANGEMENTS.items():
            rates[name].append(rate(trainings, each, steps))
            print(f"{name}: {rates[name][-1]:.0f} images/s", file=sys.stderr)
    report = outcome(rates)
    files.write_json(paths.REPORTS / "threads.json", report)
    print(json.dumps(report["images_per_second"], indent=2))


def outcome(rates: dict[str, list[float]]) -> dict[str, Any]:
    """Return the medians and their ratio: above 1, two trainings are faster."""
    medians = {name: statistics.median(values) for name, values in rates.items()}
    two, one = medians.values()
    return {"machine": machine.describe(), "runs": rates, "images_per_second": medians, "ratio": two / one}


def rate(trainings: int, threads: int, steps: int) -> float:
    """Start the trainings, let all do their steps at once, and return their images per second in all."""
    command, pipe = [sys.executable, __file__, "--threads", str(threads)], subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(trainings)]
    ends = [(process.stdin, process.stdout) for process in processes if process.stdin and process.stdout]
    if any(output.readline() != "ready\n" for _, output in ends):
        raise errors.UserError("a training failed, see above")
    started = time.perf_counter()
    for start, _ in ends:
        start.write(f"{steps}\n")
        start.flush()
    images = sum(int(output.readline()) for _, output in ends)
    taken = time.perf_counter() - started
    for process in processes:
        process.communicate()
    return images / taken


def training(threads: int) -> None:
    """Compile, report that it is ready, do the steps, print the number of images."""
    chosen = params.load()
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import loop, models, outliers, prepared
    models.make_deterministic(0, threads=threads)
    train, draw = chosen.train_of(NAME), np.random.default_rng(0)
    made = prepared.prepare(NAME, chosen, np.arange(IMAGES) % 10, [*"abcdefghij"])
    weight, size = outliers.weight(made.augment), train.batch_size
    added = outliers.count(size, made.augment.outliers) if made.augment and weight else 0
    run = loop.make_train_step(made.model, made.optimizer, train.label_smoothing, made.class_weights, weight)

    def step(count: int) -> None:
        images = draw.integers(0, 256, (count, size + added, *models.INPUT_SHAPE), np.uint8)
        labels = np.full((count, size + added), outliers.LABEL)
        labels[:, :size] = draw.integers(0, 10, (count, size))
        run(images, labels)

    step(2)
    print("ready", flush=True)
    steps = int(sys.stdin.readline())
    step(steps)
    print(steps * size, flush=True)


if __name__ == "__main__":
    errors.run(main)
