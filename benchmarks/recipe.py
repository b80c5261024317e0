"""Compare the training of model_3 with the same recipe in PyTorch: time per epoch and test accuracy.

Both sides train in turn, each in a process of its own with one thread, on the same augmented batches: once
with AVX2 at most (`train.portable`), once with all instructions of the processor.
Set in the environment: EPOCHS (default: those of params.yaml), which also stretches the schedule; IMAGES
(default: all training images); SEEDS (default: 1), trainings per side. Writes reports/recipe.json and .md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import cifar10  # noqa: F401  before NumPy: it pins the arithmetic

# isort: split
import numpy as np

from benchmarks.record import record
from benchmarks.run import number
from benchmarks.text import where
from cifar10 import arithmetic, errors, files, machine, params, paths
from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.report import render

NAME = "model_3"
OURS, THEIRS = "this project", "PyTorch"
PORTABLE, FASTEST = "AVX2", "all instructions"
SIDES = [(library, instructions) for instructions in (PORTABLE, FASTEST) for library in (OURS, THEIRS)]
LIMITS = {  # of PyTorch's libraries: oneDNN, its own kernels, MKL
    arithmetic.LIMIT: "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
STEM = paths.REPORTS / "recipe"


def main() -> None:
    """Run both sides in turn, write the outcome; with --side, run one."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    chosen = params.load()
    if NAME not in chosen.models:
        raise errors.UserError(f"params.yaml: models: expected {NAME}, which this benchmark trains")
    epochs = number("EPOCHS", chosen.train_of(NAME).epochs)
    if options.side:
        library, instructions = options.side
        train = ours if library == OURS else theirs
        print(json.dumps(train(limited(chosen, instructions), epochs, number("IMAGES", 10**9), options.seed)))
        return
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {side: [] for side in SIDES}
    for seed in range(number("SEEDS", 1)):
        for side in SIDES:
            runs[side].append(one(side, seed))
            print(f"{', '.join(side)}, seed {seed}: {runs[side][-1]}", file=sys.stderr)
    report = outcome(runs, epochs)
    record(STEM, report, markdown(report))


def limited(chosen: params.Params, instructions: str) -> params.Params:
    """Return the parameters with `train.portable` as `instructions` say."""
    train = chosen.train.model_copy(update={"portable": instructions == PORTABLE})
    return chosen.model_copy(update={"train": train})


def one(side: tuple[str, str], seed: int) -> dict[str, Any]:
    """Run one training in a process of its own."""
    command = [sys.executable, __file__, "--side", *side, "--seed", str(seed)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise errors.UserError(f"{', '.join(side)}: the training failed, see above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def outcome(runs: dict[tuple[str, str], list[dict[str, Any]]], epochs: int) -> dict[str, Any]:
    """Return medians, means and their comparison, per instruction set; the first epoch also compiles."""
    counted = slice(min(1, epochs - 1), None)
    seconds = {
        side: statistics.median(s for run in runs[side] for s in run["seconds"][counted]) for side in SIDES
    }
    first = {side: statistics.median(run["seconds"][0] for run in runs[side]) for side in SIDES}
    accuracy = {side: statistics.fmean(run["accuracy"] for run in runs[side]) for side in SIDES}
    rows = {
        instructions: {
            "seconds_per_epoch": {library: seconds[library, instructions] for library in (OURS, THEIRS)},
            "seconds_of_first_epoch": {library: first[library, instructions] for library in (OURS, THEIRS)},
            "accuracy": {library: accuracy[library, instructions] for library in (OURS, THEIRS)},
            "time_ratio": seconds[OURS, instructions] / seconds[THEIRS, instructions],
            "accuracy_lead": accuracy[OURS, instructions] - accuracy[THEIRS, instructions],
        }
        for instructions in (PORTABLE, FASTEST)
    }
    return {
        "machine": machine.describe(),
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "epochs": epochs,
        "images": runs[SIDES[0]][0]["images"],
        "seeds": len(runs[SIDES[0]]),
        "runs": {", ".join(side): found for side, found in runs.items()},
        "instructions": rows,
    }


def batches(read: Any, count: int, batch_size: int, seed: int, epoch: int) -> Iterator[Any]:
    """Yield images and labels of single steps, as the pipeline orders them."""
    from cifar10.training import image_order

    for some in image_order.shuffled_batches(count, batch_size, seed, epoch):
        yield from zip(*read(some), strict=True)


def prepared(chosen: params.Params, epochs: int, images: int, seed: int) -> Any:
    """Load the data and prepare the training of the pipeline."""
    from cifar10.training import tensorflow_setup

    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models, outliers
        from cifar10.training import prepared as preparation

        models.make_deterministic(seed)
    whole = dataset.load("train")
    training = Split(whole.images[:images], whole.labels[:images])
    made = preparation.prepare(NAME, chosen, training.labels, dataset.class_names(), epochs)
    return made, training, outliers.pool(training, made.augment, seed)


def ours(chosen: params.Params, epochs: int, images: int, seed: int) -> dict[str, Any]:
    """Train with the pipeline's code."""
    made, training, _ = prepared(chosen, epochs, images, seed)
    from cifar10.evaluation import features

    settings = chosen.train_of(NAME).model_copy(update={"epochs": epochs})
    none = Split(training.images[:0], training.labels[:0])
    seconds, started = [], time.perf_counter()
    for _ in made.train(training, none, settings, seed, [], lambda *_: None):
        seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
    test = dataset.load("test")
    found = features.feature_extractor(made.model, mirror=True)(test.images).probabilities
    correct = float((found.argmax(axis=1) == test.labels).mean())
    return {"images": len(training.labels), "seconds": seconds, "accuracy": correct}


def theirs(chosen: params.Params, epochs: int, images: int, seed: int) -> dict[str, Any]:
    """Train with PyTorch, on the same batches, with the rates of the same schedule."""
    made, training, pool = prepared(chosen, epochs, images, seed)
    os.environ.pop(arithmetic.LIMIT, None)  # TensorFlow has read it; PyTorch's oneDNN reads it as well
    os.environ.update(LIMITS if chosen.train.portable else {})
    import torch

    from benchmarks import pytorch_recipe
    from cifar10.training import outliers

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    entry, train = chosen.models[NAME], chosen.train_of(NAME)
    ((_, given),) = entry.optimizer.items()
    rates = [float(made.optimizer._learning_rate(step)) for step in range(made.steps.total)]
    model = pytorch_recipe.network(entry.layers, len(dataset.class_names()))
    pytorch_recipe.initialize(model)
    weight = outliers.weight(made.augment) or 0.0
    run = pytorch_recipe.make_train_step(model, given, rates.__getitem__, train.label_smoothing, weight)
    seconds = []
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        read = outliers.reader(training, made.augment, pool, seed, epoch)
        for batch, labels in batches(read, len(training.labels), train.batch_size, seed, epoch):
            run(batch, labels)
        seconds.append(time.perf_counter() - started)
    test = dataset.load("test")
    correct = pytorch_recipe.accuracy(model, np.array(test.images), test.labels)
    return {"images": len(training.labels), "seconds": seconds, "accuracy": correct}


def first_epochs(report: dict[str, Any]) -> str:
    """Describe the first epochs, which are not counted if there are others."""
    if report["epochs"] == 1:
        return ""
    longer = [
        found["seconds_of_first_epoch"][OURS] - found["seconds_per_epoch"][OURS]
        for found in report["instructions"].values()
    ]
    return (
        "The first epochs are not counted: in them, this project compiles the training step, which took "
        f"{min(longer):.1f} to {max(longer):.1f} s. "
    )


def markdown(report: dict[str, Any]) -> str:
    """Write the outcome as Markdown."""
    rows = []
    for instructions, row in report["instructions"].items():
        times = " | ".join(f"{row['seconds_per_epoch'][library]:.1f} s" for library in (OURS, THEIRS))
        accuracies = " | ".join(f"{100 * row['accuracy'][library]:.2f} %" for library in (OURS, THEIRS))
        rows.append(f"| {instructions} | {times} | {row['time_ratio']:.2f} | {accuracies} |")
    head = (
        f"| instructions | {OURS}: epoch | {THEIRS}: epoch | ratio | {OURS}: accuracy | {THEIRS}: accuracy |"
    )
    table = "\n".join([head, "|---|---:|---:|---:|---:|---:|", *rows])
    return (
        f"# {NAME} in PyTorch\n\n{table}\n\nThe ratio is the time of this project divided by that of "
        "PyTorch; medians of the epochs, means of the test accuracies. Trainings per side: "
        f"{report['seeds']}, in turn, one thread each; {report['epochs']} epochs of {report['images']:,} "
        f"images. {first_epochs(report)}Measured on {report['data']}; {where(report['machine'])}\n"
    )


if __name__ == "__main__":
    errors.run(main)
