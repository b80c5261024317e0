"""Batch normalisation with square roots and divisions, which are exact on every processor.

Keras and TensorFlow use `rsqrt`, which starts from an estimate that differs between Intel and AMD. TensorFlow
also rewrites 1 / sqrt(v) to rsqrt(v); sqrt(v) / v stays as it is.

Ioffe and Szegedy, Batch Normalization, ICML 2015.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def make_exact(layer: keras.layers.BatchNormalization) -> None:
    """Make a layer use this module, for training and for inference."""
    layer.call = functools.partial(_call, layer)


def inverse_root(values: tf.Tensor) -> tf.Tensor:
    """Compute 1 / sqrt(v) of positive float32 values."""
    return tf.sqrt(values) / values


def _call(
    layer: keras.layers.BatchNormalization,
    inputs: tf.Tensor,
    training: bool | None = None,
    mask: Any = None,  # noqa: ARG001  no layer here makes masks
) -> tf.Tensor:
    if not (training and layer.trainable):
        return _with_moving_statistics(layer, inputs)
    outputs, mean, variance = _with_batch_statistics(layer, inputs)
    _update(layer, mean, variance, 1.0 - layer.momentum)
    return outputs


def _update(
    layer: keras.layers.BatchNormalization, mean: tf.Tensor, variance: tf.Tensor, share: float | tf.Tensor
) -> None:
    """Move the moving statistics towards those of a batch, of shape (C,)."""
    for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(tf.convert_to_tensor(moving) * (1.0 - share) + new * share)


def _with_moving_statistics(layer: keras.layers.BatchNormalization, inputs: tf.Tensor) -> tf.Tensor:
    scale = inverse_root(tf.convert_to_tensor(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        scale *= tf.convert_to_tensor(layer.gamma)
    shift = -tf.convert_to_tensor(layer.moving_mean) * scale
    if layer.center:
        shift += tf.convert_to_tensor(layer.beta)
    return inputs * _spread(layer, scale, inputs) + _spread(layer, shift, inputs)


def _with_batch_statistics(
    layer: keras.layers.BatchNormalization, inputs: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the outputs, and the mean and the variance (C,) of the inputs."""
    ones, zeros = tf.ones_like(layer.moving_mean), tf.zeros_like(layer.moving_mean)
    gamma = tf.convert_to_tensor(layer.gamma) if layer.scale else ones
    beta = tf.convert_to_tensor(layer.beta) if layer.center else zeros
    axis = layer.axis % inputs.shape.rank
    if axis == inputs.shape.rank - 1:
        return normalize(inputs, gamma, beta, tf.constant(layer.epsilon))
    order = [index for index in range(inputs.shape.rank) if index != axis] + [axis]
    back = [order.index(index) for index in range(inputs.shape.rank)]
    outputs, mean, variance = normalize(tf.transpose(inputs, order), gamma, beta, tf.constant(layer.epsilon))
    return tf.transpose(outputs, back), mean, variance


def _spread(layer: keras.layers.BatchNormalization, values: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
    """Shape values (C,) so that they multiply the inputs along the layer's axis."""
    shape = [1] * inputs.shape.rank
    shape[layer.axis] = -1
    return tf.reshape(values, shape)


@tf.custom_gradient
def normalize(
    inputs: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: tf.Tensor
) -> tuple[tuple[tf.Tensor, tf.Tensor, tf.Tensor], Callable[..., tuple[Any, ...]]]:
    """Normalise over all axes but the last, with the gradient in closed form.

    Args:
        inputs: float32 (..., C).
        gamma: float32 (C,).
        beta: float32 (C,).
        epsilon: float32 (), added to the variance.

    Returns:
        The outputs, as the inputs; mean and variance, float32 (C,), which have no gradient.
    """
    axes = list(range(inputs.shape.rank - 1))
    count = tf.cast(tf.size(inputs) / tf.size(gamma), tf.float32)
    mean = tf.reduce_mean(inputs, axes)
    centered = inputs - mean
    variance = tf.reduce_mean(tf.square(centered), axes)
    inverse = inverse_root(variance + epsilon)
    scale = gamma * inverse

    def gradient(upstream: tf.Tensor, *_: tf.Tensor) -> tuple[Any, ...]:
        of_beta = tf.reduce_sum(upstream, axes)
        of_gamma = tf.reduce_sum(upstream * centered, axes) * inverse
        slope = of_gamma * inverse / count
        of_inputs = (upstream - centered * slope - of_beta / count) * scale
        return of_inputs, of_gamma, of_beta, None

    return (centered * scale + beta, mean, variance), gradient


def renew_statistics(model: keras.Model, batches: Iterable[np.ndarray]) -> None:
    """Replace the moving statistics by the means over the batches, for weights that are averages.

    All other layers run as in inference.

    Args:
        model: from `models.build`.
        batches: uint8 (N, 32, 32, 3) training images each.
    """
    kind = keras.layers.BatchNormalization
    layers = [layer for layer in model.layers if type(layer) is kind and layer.trainable]
    if not layers:
        return

    inputs = tf.TensorSpec((None, *model.input_shape[1:]), model.inputs[0].dtype)

    @tf.function(input_signature=[inputs, tf.TensorSpec(())], autograph=False)
    def forward(images: tf.Tensor, share: tf.Tensor) -> None:
        calls = [layer.call for layer in layers]
        for layer in layers:
            layer.call = functools.partial(_renew, layer, share)
        model(images, training=False)
        for layer, call in zip(layers, calls, strict=True):
            layer.call = call

    for index, images in enumerate(batches):
        forward(tf.constant(images), tf.constant(1 / (index + 1), tf.float32))


def _renew(
    layer: keras.layers.BatchNormalization, share: tf.Tensor, inputs: tf.Tensor, **_: Any
) -> tf.Tensor:
    outputs, mean, variance = _with_batch_statistics(layer, inputs)
    _update(layer, mean, variance, share)
    return outputs
