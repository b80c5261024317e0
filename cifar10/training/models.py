"""Build, save and run Keras models."""

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

from cifar10 import files, image_size
from cifar10.errors import UserError
from cifar10.params import NUM_CLASSES, Model
from cifar10.training import activations, blocks, devices, keras_config, normalization
from cifar10.training.backbones import base
from cifar10.training.layers import LayerBuilder, connecting
from cifar10.training.schedules import Steps

INPUT_SHAPE = (*image_size.CIFAR10, 3)  # of a network, if nothing else is said
ARITHMETIC = "arithmetic"  # attribute of an .h5 file
PREDICTION_BATCH = 64  # images; with 8, 32 or 320 outputs depend on the position of an image in the batch


def make_deterministic(seed: int, device: devices.Device = "cpu", threads: int = 1) -> None:
    """Make all computations of this process deterministic, and seed all random generators.

    Call this once, before the first tensor.

    Args:
        seed: of the generators.
        device: `train.device`; all else runs on the CPU.
        threads: of an operation. Another number changes the order of sums.

    Raises:
        UserError: there is no GPU to use.
    """
    devices.use(device)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.config.set_floatx("float32")  # overrides the user's keras.json
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(seed)
    tf.zeros(())  # starts the runtime here


def build(name: str, entry: Model, num_classes: int, shape: tuple[int, ...] = INPUT_SHAPE) -> keras.Model:
    """Build the network of an entry of params.yaml with new weights.

    Args:
        name: of the entry.
        entry: its values.
        num_classes: of the data.
        shape: of an image: height, width, 3.

    Returns:
        A model from uint8 (N, *shape) to non-negative float32 (N, num_classes) scores. Its first layer
        scales pixels to [0, 1]. It is a `keras.Sequential`; with a base or blocks, it is a functional model.

    Raises:
        UserError: a layer, an argument or the output does not fit; the message names the key.
    """
    keras.utils.clear_session(free_memory=False)  # layer names, which the .h5 holds, count from zero
    inputs, scaling = keras.Input(shape, dtype="uint8"), keras.layers.Rescaling(1 / 255)
    key = f"params.yaml: models.{name}"
    if entry.base or blocks.used(entry.layers):
        before = scaling(inputs)
        if entry.base:
            before = base.connect(entry.base, before, f"{key}.base.{entry.base.name}")
        model = blocks.build(name, inputs, before, entry.layers, num_classes, key)
        if entry.base:
            base.freeze(model, entry.base.train)
    else:
        model = keras.Sequential([inputs, scaling], name=name)
        builder = LayerBuilder(num_classes)
        for index, specification in enumerate(entry.layers):
            (kind, arguments), *_ = specification.items()
            layer = builder.build(kind, arguments, f"{key}.layers.{index}.{kind}")
            with connecting(f"{key}.layers.{index}.{kind}", layer, model.output_shape):
                model.add(layer)
    _check_output(model, name, num_classes)
    for layer in model.layers:
        if type(layer) is keras.layers.GlobalAveragePooling2D:
            layer.call = functools.partial(_global_average, layer)
        activations.make_exact(layer)
        normalization.make_exact(layer)
    return model


def _global_average(layer: keras.layers.GlobalAveragePooling2D, inputs: tf.Tensor) -> tf.Tensor:
    """Average over height and width, (N, H, W, C) to (N, C), with the pooling kernel.

    Keras uses the kernel for means. Its order of sums depends on the position of an image in the batch.
    """
    pooled = tf.nn.avg_pool2d(inputs, inputs.shape[1:3], 1, "VALID")
    return pooled if layer.keepdims else tf.squeeze(pooled, [1, 2])


def optimizer(name: str, entry: Model, steps: Steps | None = None) -> keras.optimizers.Optimizer:
    """Build the optimizer of an entry of params.yaml; Adam becomes FusedAdam, which has the same formula.

    Args:
        name: of the entry.
        entry: its values.
        steps: of the training, for learning-rate schedules. If None, `total_steps` is an error.

    Raises:
        UserError: Keras has no such optimizer or argument; the message names the key.
    """
    (kind, arguments), *_ = entry.optimizer.items()
    key = f"params.yaml: models.{name}.optimizer.{kind}"
    return keras_config.optimizer(kind, arguments, key, steps)


def save(model: keras.Model, path: Path, computed_with: dict[str, Any]) -> None:
    """Write architecture and weights as HDF5, without optimizer state. Equal weights give equal bytes.

    Args:
        model: from `build`.
        path: the .h5 file.
        computed_with: from `arithmetic.in_effect`; stored as an attribute of the file.
    """
    with files.replacing(path) as beside:
        keras_log = logging.getLogger("absl")
        level = keras_log.level
        keras_log.setLevel(logging.ERROR)  # no warning that .h5 is the older format
        try:
            model.save(beside)
        finally:
            keras_log.setLevel(level)
        with h5py.File(beside, "r+") as file:
            file.attrs[ARITHMETIC] = json.dumps(computed_with)


def predictor(model: keras.Model) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Compile inference once, for any number of images and calls. All inference runs through this function.

    Every batch has PREDICTION_BATCH images; black images pad the last one. The outputs of an image then do
    not depend on the other images or on its position: the number of rows decides how matrix products are
    tiled, and with 64 rows all tiles sum in the same order. If a layer does not have this property, the
    network runs on one image at a time.

    Args:
        model: from `build`, or another model with the same inputs.

    Returns:
        A function from uint8 (N, H, W, 3) images, or the inputs that the model has, to the model's outputs,
        float32 (N, ...) each. A network of params.yaml has one output, (N, K) scores;
        `probabilities.normalize` turns them into probabilities.
    """
    forward = tf.function(lambda batch: tf.nest.flatten(model(batch, training=False)), autograph=False)
    shape, dtype = model.inputs[0].shape[1:], np.dtype(model.inputs[0].dtype)
    size = PREDICTION_BATCH if _is_position_independent(forward, shape, dtype) else 1

    def predict(images: np.ndarray) -> list[np.ndarray]:
        batches = []
        for start in range(0, max(len(images), 1), size):  # without images: one batch, for the shapes
            some = images[start : start + size]
            batch = np.zeros((size, *shape), dtype)
            batch[: len(some)] = some
            batches.append([part.numpy()[: len(some)] for part in forward(tf.constant(batch))])
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    return predict


def _is_position_independent(
    forward: Callable[[tf.Tensor], list[tf.Tensor]], shape: tuple[int, ...], dtype: np.dtype
) -> bool:
    """Check on random images that outputs do not depend on the position in a batch, bit for bit."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (PREDICTION_BATCH, *shape), np.uint8).astype(dtype)
    expected = [part.numpy() for part in forward(tf.constant(images))]
    positions = np.arange(PREDICTION_BATCH)
    for order in (positions[::-1], np.roll(positions, 1), random.permutation(positions)):
        found = forward(tf.constant(images[order]))
        if any(
            ours.numpy().tobytes() != part[order].tobytes()
            for ours, part in zip(found, expected, strict=True)
        ):
            return False
    return True


def output_activation(model: keras.Model) -> str:
    """Return the activation of the last layer; `softmax` also for a Softmax layer."""
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(last, "activation", None), "__name__", "linear")


def _check_output(model: keras.Model, name: str, num_classes: int) -> None:
    key = f"params.yaml: models.{name}.layers"
    if not model.trainable_variables:
        raise UserError(f"{key}: no layer has weights to train, expected at least one such as Dense")
    if not isinstance(model.layers[-1], keras.layers.Dense | keras.layers.Activation | keras.layers.Softmax):
        raise UserError(
            f"{key}: the last layer is {type(model.layers[-1]).__name__}, "
            "expected Dense, Activation or Softmax"
        )
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
