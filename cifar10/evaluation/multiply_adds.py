"""Count the multiply-adds of a forward pass, layer by layer.

A multiply-add is one multiplication by a weight and its addition. Biases, normalisation, activations, pooling
and sums of branches are not counted.
"""

import math
from typing import Any

from cifar10.training.models import keras  # through `models`, which prepares the import of TensorFlow

layers = keras.layers
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
FORWARD = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
NOT_COUNTED = (
    layers.BatchNormalization,
    layers.GroupNormalization,
    layers.LayerNormalization,
    layers.Normalization,
    layers.PReLU,
)


def of_layer(layer: keras.layers.Layer) -> int | None:
    """Count the multiply-adds of a layer for one image; None if its kind is unknown.

    A convolution uses each weight of its kernel once per output position, also where the kernel reaches over
    the border; a transposed convolution once per input position.
    """
    if isinstance(layer, SEPARABLE):
        kernels = _size(layer.depthwise_kernel) + _size(layer.pointwise_kernel)
        return kernels * _positions(layer.output, layer.pointwise_kernel.shape[-1])
    if isinstance(layer, DEPTHWISE):
        return _size(layer.kernel) * _positions(layer.output, math.prod(layer.kernel.shape[-2:]))
    if isinstance(layer, FORWARD):
        return _size(layer.kernel) * _positions(layer.output, layer.kernel.shape[-1])
    if isinstance(layer, TRANSPOSED):
        return _size(layer.kernel) * _positions(layer.input, layer.kernel.shape[-1])
    return 0 if isinstance(layer, NOT_COUNTED) or not layer.weights else None


def _size(kernel: Any) -> int:
    return math.prod(kernel.shape)


def _positions(tensor: keras.KerasTensor, channels: int) -> int:
    return math.prod(tensor.shape[1:]) // channels
