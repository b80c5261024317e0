"""Networks and optimizers from params.yaml, weights from disk: the door to Keras."""

import functools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

from cifar10 import files
from cifar10.errors import UserError
from cifar10.params import NUM_CLASSES, Model
from cifar10.training.keras_config import construct, first_line, subclasses
from cifar10.training.optimizers import FusedAdam

INPUT_SHAPE = (32, 32, 3)
ARITHMETIC = "arithmetic"  # attribute of an .h5 file
PREDICTION_BATCH = 64  # images; with 8, 32 or 320 an answer depends on where in the batch its image stands


def make_deterministic(seed: int) -> None:
    """Make everything that follows in this process repeatable, bit for bit.

    One thread, since another number of threads sums in another order. To be called once, before the
    first tensor is made.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.config.set_floatx("float32")  # whatever the user's keras.json says
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(seed)
    tf.zeros(())  # starts the runtime here


def build(name: str, entry: Model, num_classes: int) -> keras.Sequential:
    """Build the network of an entry of params.yaml with fresh weights.

    Returns:
        A model from uint8 (N, 32, 32, 3) to float32 (N, num_classes) scores, not negative. Its first
        layer scales the pixels to [0, 1].

    Raises:
        UserError: a layer, an argument or the output does not fit; it names the key.
    """
    keras.utils.clear_session(free_memory=False)  # layer names, which the .h5 holds, count from zero
    model = keras.Sequential(
        [keras.Input(INPUT_SHAPE, dtype="uint8"), keras.layers.Rescaling(1 / 255)], name=name
    )
    known = subclasses(keras.layers, keras.layers.Layer)
    known.pop("Lambda")  # runs code that a file names
    for index, specification in enumerate(entry.layers):
        (kind, arguments), *_ = specification.items()
        key = f"params.yaml: models.{name}.layers.{index}.{kind}"
        arguments = {k: num_classes if v == NUM_CLASSES else v for k, v in arguments.items()}
        layer = construct(known, kind, arguments, key)
        try:
            model.add(layer)
        except (ValueError, TypeError) as error:
            raise UserError(f"{key}: does not fit the layer before it: {first_line(error)}") from None
    _check_output(model, name, num_classes)
    for layer in model.layers:
        if type(layer) is keras.layers.GlobalAveragePooling2D:
            layer.call = functools.partial(_global_average, layer)
    return model


def _global_average(layer: keras.layers.GlobalAveragePooling2D, inputs: tf.Tensor) -> tf.Tensor:
    """Average over the places, (N, H, W, C) to (N, C), by the kernel for pooling.

    That for means, which Keras calls, adds up some images of a batch in another order than others.
    """
    pooled = tf.nn.avg_pool2d(inputs, inputs.shape[1:3], 1, "VALID")
    return pooled if layer.keepdims else tf.squeeze(pooled, [1, 2])


def optimizer(name: str, entry: Model) -> keras.optimizers.Optimizer:
    """Make the optimizer of an entry of params.yaml; Adam is the fused one, of the same mathematics.

    Raises:
        UserError: Keras has no such optimizer or argument; it names the key.
    """
    (kind, arguments), *_ = entry.optimizer.items()
    key = f"params.yaml: models.{name}.optimizer.{kind}"
    known = subclasses(keras.optimizers, keras.optimizers.Optimizer)
    if FusedAdam.can_do(arguments):
        known["Adam"] = FusedAdam
    return construct(known, kind, arguments, key)


def save(model: keras.Model, path: Path, computed_with: dict[str, Any]) -> None:
    """Write architecture and weights as HDF5, no optimizer state: the same bytes for the same weights.

    Args:
        model: from `build`.
        path: where to write.
        computed_with: from `arithmetic.in_effect`; becomes an attribute of the file.
    """
    with files.replacing(path) as beside:
        keras_log = logging.getLogger("absl")
        level = keras_log.level
        keras_log.setLevel(
            logging.ERROR
        )  # .h5 is what people exchange; no warning that Keras has a newer format
        try:
            model.save(beside)
        finally:
            keras_log.setLevel(level)
        with h5py.File(beside, "r+") as file:
            file.attrs[ARITHMETIC] = json.dumps(computed_with)


def predictor(model: keras.Model) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Compile inference, once for as many images and calls as come. All inference runs through this function.

    Every batch has PREDICTION_BATCH images; the last one is filled up with black ones. So an image comes out
    the same, bit for bit, whatever others come with it and wherever it stands among them: matrix products are
    cut into tiles by the number of rows, and 64 rows leave no tile that sums in another order. A network with
    a layer for which this does not hold gets one image at a time.

    Args:
        model: from `build`, or another that starts at its inputs.

    Returns:
        A function from uint8 (N, 32, 32, 3) images to the model's outputs, float32 (N, ...) each. A network
        of params.yaml has one, (N, K) scores; `probabilities.normalize` makes probabilities of them.
    """
    forward = tf.function(lambda batch: tf.nest.flatten(model(batch, training=False)))
    size = PREDICTION_BATCH if _places_are_alike(forward) else 1

    def predict(images: np.ndarray) -> list[np.ndarray]:
        batches = []
        for start in range(0, max(len(images), 1), size):  # no image: one batch, for the shapes
            some = images[start : start + size]
            batch = np.zeros((size, *INPUT_SHAPE), np.uint8)
            batch[: len(some)] = some
            batches.append([part.numpy()[: len(some)] for part in forward(tf.constant(batch))])
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    return predict


def _places_are_alike(forward: Callable[[tf.Tensor], list[tf.Tensor]]) -> bool:
    """Tell whether images come out the same bits wherever they stand in a batch, on drawn images."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (PREDICTION_BATCH, *INPUT_SHAPE), np.uint8)
    expected = [part.numpy() for part in forward(tf.constant(images))]
    places = np.arange(PREDICTION_BATCH)
    for order in (places[::-1], np.roll(places, 1), random.permutation(places)):
        found = forward(tf.constant(images[order]))
        if any(
            ours.numpy().tobytes() != part[order].tobytes()
            for ours, part in zip(found, expected, strict=True)
        ):
            return False
    return True


def output_activation(model: keras.Sequential) -> str:
    """Name the activation of the last layer, `softmax` for a Softmax layer too."""
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(last, "activation", None), "__name__", "linear")


def _check_output(model: keras.Sequential, name: str, num_classes: int) -> None:
    key = f"params.yaml: models.{name}.layers"
    if model.output_shape != (None, num_classes):
        raise UserError(
            f"{key}: the last layer gives {model.output_shape[1:]}, expected ({num_classes},), one score per "
            f"class of the data: end with `Dense: {{units: {NUM_CLASSES}, activation: softmax}}`"
        )
    activation = output_activation(model)
    if activation not in ("softmax", "sigmoid"):
        raise UserError(
            f"{key}: the last layer's activation is {activation}, expected softmax or sigmoid, whose scores "
            "can be read as probabilities"
        )
