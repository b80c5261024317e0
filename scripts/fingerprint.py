"""Print hashes of results on this machine: single operations, and one epoch of every model in params.yaml.

The models are trained with the first seed of `train.seeds`. The images are the handwritten digits included
in scikit-learn. Equal hashes mean equal bytes.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import arithmetic, errors, files, params
from cifar10.data import sources
from cifar10.data.dataset import Split
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np

DIGITS = 12  # hexadecimal digits per hash
LOSS = ("label_smoothing", "class_weight")  # settings of `train` that change a step
ASKED = 100  # images; more than a batch, not a multiple of its size


def main() -> None:
    """Compute all hashes and print them as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fastest", action="store_true", help="compute as with train.portable: false")
    portable = not parser.parse_args().fastest
    chosen = params.load()
    images = sources.digits()
    with tensorflow_setup.tensorflow(portable):
        from cifar10.training import models

        models.make_deterministic(chosen.train.seeds[0])
    found = {
        "arithmetic": arithmetic.in_effect(),
        "operations": dict(operations()),
        "models": {name: trained(name, chosen, images) for name in chosen.models},
    }
    print(files.json_text(found, indent=None))


def definition(name: str, chosen: params.Params) -> str:
    """Hash the settings of a training in params.yaml with the first seed, except the number of epochs.

    Options of the loss are part of it if they are set; the choice of an epoch changes no step.
    """
    settings = chosen.train_of(name)
    train = {"batch_size": settings.batch_size, "seed": chosen.train.seeds[0]}
    train |= {key: value for key in LOSS if (value := getattr(settings, key))}
    model = chosen.models[name].model_dump(exclude_unset=True, exclude={"train"})
    text = json.dumps({"model": model, "train": train}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def digest(*arrays: Any) -> str:
    """Hash the bytes of arrays."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:DIGITS]


def operations() -> Iterator[tuple[str, str]]:
    """Yield the name and hash of single operations on random numbers, simple operations first."""
    import tensorflow as tf

    draw = np.random.default_rng(0)

    def numbers(*shape: int) -> np.ndarray:
        return (draw.integers(-(2**15), 2**15, shape) / 2**15).astype(np.float32)  # exact on every machine

    wide, kernel, upstream = numbers(32, 1000), numbers(1000, 500), numbers(32, 500)
    yield "NumPy exp", digest(np.exp(wide.astype(np.float64)))
    yield "NumPy log", digest(np.log(np.abs(wide.astype(np.float64)) + 1))
    yield "NumPy product", digest(wide @ kernel)
    yield "NumPy norm", digest(np.linalg.norm(wide, axis=1))
    pictures, filters, changes = numbers(32, 15, 15, 16), numbers(3, 3, 16, 32), numbers(32, 13, 13, 32)
    positive, conv = np.abs(wide) + 1, {"strides": [1, 1, 1, 1], "padding": "VALID"}
    calls: dict[str, tuple[Callable[..., Any], *tuple[np.ndarray, ...]]] = {
        "sum": (lambda x: tf.reduce_sum(x, axis=0), kernel),
        "mean": (lambda x: tf.reduce_mean(x, axis=[1, 2]), pictures),
        "division": (tf.divide, wide, positive),
        "square root": (tf.sqrt, positive),
        "exp": (tf.exp, wide),
        "log": (tf.math.log, positive),
        "tanh": (tf.tanh, wide),
        "sigmoid": (tf.sigmoid, wide),
        "softmax": (tf.nn.softmax, wide[:, :10]),
        "max pooling": (lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"), pictures),
        "convolution": (lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"), pictures, filters),
        "convolution, gradient of its input": (
            lambda k, g: tf.raw_ops.Conv2DBackpropInput(
                input_sizes=pictures.shape, filter=k, out_backprop=g, **conv
            ),
            filters,
            changes,
        ),
        "convolution, gradient of its filters": (
            lambda x, g: tf.raw_ops.Conv2DBackpropFilter(
                input=x, filter_sizes=filters.shape, out_backprop=g, **conv
            ),
            pictures,
            changes,
        ),
        "matrix product": (tf.matmul, wide, kernel),
        "matrix product, gradient of its input": (
            lambda k, g: tf.matmul(k, g, transpose_b=True),
            kernel,
            upstream,
        ),
        "matrix product, gradient of its kernel": (
            lambda x, g: tf.matmul(x, g, transpose_a=True),
            wide,
            upstream,
        ),
        "reciprocal": (tf.math.reciprocal, positive),
        "reciprocal square root": (tf.math.rsqrt, positive),
    }
    for name, (call, *inputs) in calls.items():
        yield name, digest(tf.function(call, autograph=False)(*map(tf.constant, inputs)).numpy())


def trained(name: str, chosen: params.Params, images: Any) -> dict[str, str]:
    """Train a model on the digits for one epoch.

    Returns:
        Hashes of its settings (`definition`), its weights before (`start`) and after the `epoch`, and its
        `answers`: the scores of the last layer for test images.
    """
    from cifar10.training import image_order, loop, models, outliers, prepared

    train, seed = chosen.train_of(name), chosen.train.seeds[0]
    training = Split(images.train_images, images.train_labels)
    made = prepared.prepare(name, chosen, images.train_labels, images.class_names, epochs=1)
    model, optimizer = made.model, made.optimizer
    start = digest(*model.get_weights())
    pool = outliers.pool(training, made.augment, seed)
    weight = outliers.weight(made.augment)
    run = loop.make_train_step(model, optimizer, train.label_smoothing, made.class_weights, weight)
    read = outliers.reader(training, made.augment, pool, seed, epoch=1)
    for batches in image_order.shuffled_batches(len(training.labels), train.batch_size, seed, epoch=1):
        run(*read(batches))
    (answers,) = models.predictor(model)(images.test_images[:ASKED])
    return {
        "definition": definition(name, chosen),
        "start": start,
        "epoch": digest(*model.get_weights()),
        "answers": digest(answers),
    }


if __name__ == "__main__":
    errors.run(main)
