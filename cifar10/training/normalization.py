"""Normalisation layers of Keras with square roots and divisions in place of `rsqrt` (see batch_norm)."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from cifar10.training import batch_norm
from cifar10.training.batch_norm import inverse_root


def make_exact(layer: keras.layers.Layer) -> None:
    """Give the same bytes on Intel and AMD; layers other than those of CALLS are unchanged."""
    if type(layer) is keras.layers.BatchNormalization:
        batch_norm.make_exact(layer)
    elif call := CALLS.get(type(layer)):
        layer.call = functools.partial(call, layer)


def _layer(layer: keras.layers.LayerNormalization, inputs: tf.Tensor) -> tf.Tensor:
    """Ba et al., Layer Normalization, 2016."""
    axes = _axes(layer, inputs)
    mean = tf.reduce_mean(inputs, axes, keepdims=True)
    centered = inputs - mean
    variance = tf.reduce_mean(tf.square(centered), axes, keepdims=True)
    outputs = centered * inverse_root(variance + layer.epsilon)
    return _scaled(outputs, axes, layer.gamma, layer.beta)


def _root_mean_square(layer: keras.layers.RMSNormalization, inputs: tf.Tensor) -> tf.Tensor:
    """Zhang and Sennrich, Root Mean Square Layer Normalization, NeurIPS 2019."""
    axes = _axes(layer, inputs)
    square = tf.reduce_mean(tf.square(inputs), axes, keepdims=True)
    return _scaled(inputs * inverse_root(square + layer.epsilon), axes, layer.scale, None)


def _group(layer: keras.layers.GroupNormalization, inputs: tf.Tensor) -> tf.Tensor:
    """Wu and He, Group Normalization, ECCV 2018."""
    rank, axis = inputs.shape.rank, layer.axis % inputs.shape.rank
    size = inputs.shape[axis] // layer.groups
    shape = [-1, *inputs.shape[1:axis], layer.groups, size, *inputs.shape[axis + 1 :]]
    grouped = tf.reshape(inputs, shape)
    axes = [index for index in range(1, rank + 1) if index != axis]
    mean = tf.reduce_mean(grouped, axes, keepdims=True)
    centered = grouped - mean
    variance = tf.reduce_mean(tf.square(centered), axes, keepdims=True)
    outputs = tf.reshape(centered * inverse_root(variance + layer.epsilon), tf.shape(inputs))
    outputs = tf.ensure_shape(outputs, inputs.shape)
    return _scaled(outputs, [axis], layer.gamma, layer.beta)


def _unit(layer: keras.layers.UnitNormalization, inputs: tf.Tensor) -> tf.Tensor:
    """Divide by the Euclidean norm."""
    axes = _axes(layer, inputs)
    square = tf.reduce_sum(tf.square(inputs), axes, keepdims=True)
    return inputs * inverse_root(tf.maximum(square, 1e-24))  # Keras limits the norm to 1e-12 or more


def _axes(layer: Any, inputs: tf.Tensor) -> list[int]:
    axes = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    return sorted(axis % inputs.shape.rank for axis in axes)


def _scaled(outputs: tf.Tensor, axes: list[int], gamma: Any, beta: Any) -> tf.Tensor:
    """Multiply by gamma and add beta, each of the shape of `axes` or None."""
    shape = [outputs.shape[axis] if axis in axes else 1 for axis in range(outputs.shape.rank)]
    if gamma is not None:
        outputs *= tf.reshape(tf.convert_to_tensor(gamma), shape)
    if beta is not None:
        outputs += tf.reshape(tf.convert_to_tensor(beta), shape)
    return outputs


CALLS: dict[type, Callable[[Any, tf.Tensor], tf.Tensor]] = {
    keras.layers.GroupNormalization: _group,
    keras.layers.LayerNormalization: _layer,
    keras.layers.RMSNormalization: _root_mean_square,
    keras.layers.UnitNormalization: _unit,
}
