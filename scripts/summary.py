"""Describe a model of params.yaml before its training: layers, parameters, settings, estimated time.

The estimate comes from steps of a training on random images, which this script does for some seconds. It
writes no file.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rich.console import Console
from rich.table import Table

from cifar10 import errors, image_size, params
from cifar10.data import dataset
from cifar10.errors import UserError
from cifar10.report import training_words
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
WITHOUT_DATA = {"train": 45_000, "validation": 5_000, "classes": CIFAR10, "shape": (32, 32, 3)}
TIMED = 3.0  # seconds of timed training, at least CALLS steps
CALLS = 5
PREDICTED = 640  # images of the timed prediction
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Read the command line and print the description."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    name, chosen = parser.parse_args().model, params.load()
    chosen.model(name)
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models

        models.make_deterministic(seed=0)
    describe(name, chosen)


def describe(name: str, chosen: params.Params) -> None:
    """Print layers, settings and time of a model."""
    from cifar10.training import models, prepared

    sizes, train = data_sizes(), chosen.train_of(name)
    sizes["train"] = min(train.images or sizes["train"], sizes["train"])
    labels = np.arange(sizes["train"]) % len(sizes["classes"])
    made = prepared.prepare(name, chosen, labels, sizes["classes"], shape=sizes["shape"])
    console.print(layers(made.model))
    for setting, value in settings(chosen.models[name], train, sizes).items():
        console.print(f"{setting}: {value}")
    with console.status("timing some steps"):
        step = per_step(made, train)
        image = per_prediction(models.predictor(made.model), sizes["shape"])
    epoch = made.steps.per_epoch * step + sizes["validation"] * image
    if made.frozen:
        epoch, once = made.steps.per_epoch * step, (sizes["train"] + sizes["validation"]) * image
        console.print(f"features: computed once, in {words(once)}, shared by all trainings")
    training, seeds = epoch * train.epochs, len(train.seeds)
    console.print(f"time per step: {1000 * step:.1f} ms, {train.batch_size / step:,.0f} images per second")
    console.print(f"estimated time: {words(epoch)} per epoch, {words(training)} per training", end="")
    console.print(f", {words(training * seeds)} for {seeds} seeds one after the other" if seeds > 1 else "")


def data_sizes() -> dict[str, Any]:
    """Count training and validation images and list the classes; those of CIFAR-10 without any images."""
    try:
        splits = {name: len(dataset.load(name).labels) for name in ("train", "validation")}
        shape = dataset.load("train").images.shape[1:]
        return {**splits, "classes": dataset.class_names(), "shape": shape}
    except UserError:
        console.print("No images yet (`dvc repro preprocess` makes them): sizes of CIFAR-10.")
        return dict(WITHOUT_DATA)


def layers(model: Any) -> Table:
    """Tabulate the layers: blocks and class, output shape, parameters."""
    from cifar10.evaluation import trained_models

    drawn = Table("layer", "output shape")
    drawn.add_column("parameters", justify="right")
    for row in trained_models.architecture(model):
        name = " > ".join([*row.get("blocks", []), row["layer"]])
        drawn.add_row(name, " x ".join(map(str, row["output"])), f"{row['parameters']:,}")
    drawn.add_section()
    drawn.add_row("total", "", f"{model.count_params():,}")
    return drawn


def settings(entry: params.Model, train: params.Train, sizes: dict[str, Any]) -> dict[str, str]:
    """Return the settings of the trainings in words, by name."""
    augment = entry.augment.model_dump(exclude_defaults=True) if entry.augment else {}
    stop = train.early_stopping
    return {
        "optimizer": training_words.optimizer(entry.optimizer),
        "loss": training_words.loss(train),
        "augmentation": _listed(augment) or "none",
        "epochs": f"{train.epochs}{f', early stopping: {_listed(stop.model_dump())}' if stop else ''}",
        "kept epoch": "the last" if train.keep == "last" else f"the best by {train.keep}",
        "batch size": str(train.batch_size),
        "seeds": ", ".join(map(str, train.seeds)),
        "image size": f"{image_size.described(sizes['shape'])} pixels",
        "training images": f"{sizes['train']:,}; validation images: {sizes['validation']:,}",
    }


def per_step(made: Any, train: params.Train) -> float:
    """Train on random images for about TIMED seconds; return the median time of a step, in seconds."""
    from cifar10.training import image_order, loop, outliers

    random, batch_size, model = np.random.default_rng(0), train.batch_size, made.trained_network()
    images = random.integers(0, 256, (batch_size, *model.inputs[0].shape[1:]), np.uint8)
    labels = random.integers(0, model.output_shape[1], batch_size)
    training = dataset.Split(images.astype(model.inputs[0].dtype), labels)
    pool = outliers.pool(training, made.augment, seed=0)
    read = outliers.reader(training, made.augment, pool, seed=0, epoch=1)
    weight = outliers.weight(made.augment)
    run = loop.make_train_step(model, made.optimizer, train.label_smoothing, made.class_weights, weight)

    def timed(steps: int) -> float:
        batches = np.tile(np.arange(batch_size), (steps, 1))
        started = time.perf_counter()
        run(*read(batches))
        return (time.perf_counter() - started) / steps

    timed(1)  # compiles
    steps = int(
        np.clip(TIMED / CALLS / timed(1), 1, image_order.steps_per_call(batch_size, images.shape[1:]))
    )
    return float(np.median([timed(steps) for _ in range(CALLS)]))


def per_prediction(predict: Callable[[np.ndarray], Any], shape: tuple[int, ...] = (32, 32, 3)) -> float:
    """Return the time of a prediction in seconds per image."""
    images = np.zeros((PREDICTED, *shape), np.uint8)
    predict(images[:1])
    started = time.perf_counter()
    predict(images)
    return (time.perf_counter() - started) / PREDICTED


def words(seconds: float) -> str:
    """Write a duration with two significant units, such as 1 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _listed(options: dict[str, Any]) -> str:
    return ", ".join(f"{option} {value}" for option, value in options.items())


if __name__ == "__main__":
    errors.run(main)
