"""Measure the time of a training step, and count the bytes that it must move for the weights.

The process is pinned as in the pipeline's training: one thread, and nothing beyond AVX2 unless the first
argument, the value of `train.portable`, is `false`.
"""

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np

IMAGES = 45_000  # of a training, for learning-rate schedules
NUMBER = 4  # bytes of a float32
TIMES = 10  # calls of several steps; the fastest counts


def main() -> None:
    """Print bytes and seconds per step of the notebook's models as JSON."""
    with tensorflow_setup.tensorflow(portable=sys.argv[1] == "true"):
        from cifar10.training import models, prepared

    settings = params.load()
    models.make_deterministic(settings.train.seeds[0])
    found = {}
    for name in (name for name in settings.models if name in settings.report.reference):
        made = prepared.prepare(name, settings, np.arange(IMAGES) % 10, [*"abcdefghij"])
        taken = seconds(made, settings.train_of(name))
        found[name] = {"bytes": traffic(made.model, made.optimizer), "seconds": taken}
    print(json.dumps(found))


def traffic(model: Any, optimizer: Any) -> int:
    """Count the bytes that a step must move for the weights.

    A step moves six numbers per weight: the forward pass and the gradient of the inputs each read the weight;
    the gradient of the weight is written; the optimizer reads this gradient, reads the weight and writes the
    weight. It also reads and writes each moment, two more numbers per moment: Adam has two moments, SGD has
    one with momentum and none without. Biases, and the first layer, whose inputs need no gradient, are
    counted like all others; the error is less than 1 % here. Images and activations are not counted.

    Args:
        model: from `models.build`.
        optimizer: from `models.optimizer`, built.
    """
    weights = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    moments = sum(
        math.prod(variable.shape)
        for variable in optimizer.variables
        if len(variable.shape) and variable.dtype == "float32"  # not step, learning rate and seed
    )
    return NUMBER * (6 * weights + 2 * moments)


def seconds(made: Any, train: params.Train) -> float:
    """Measure the seconds per step: the fastest of several calls, each with the pipeline's number of steps.

    Args:
        made: from `prepared.prepare`.
        train: the settings of the training.
    """
    from cifar10.training import image_order, loop, models

    run = loop.make_train_step(made.model, made.optimizer, train.label_smoothing, made.class_weights)
    draw, batch_size = np.random.default_rng(0), train.batch_size
    shape = (image_order.STEPS_PER_CALL, batch_size)
    images = draw.integers(0, 256, (*shape, *models.INPUT_SHAPE), np.uint8)
    labels = draw.integers(0, 10, shape)
    run(images, labels)  # compiles
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        run(images, labels)
        taken.append(time.perf_counter() - started)
    return min(taken) / image_order.STEPS_PER_CALL


if __name__ == "__main__":
    main()
