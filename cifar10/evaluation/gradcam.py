"""Grad-CAM: the places of an image that raise the logit of a class.

Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, ICCV 2017.
"""

import functools

import numpy as np
import tensorflow as tf

from cifar10.evaluation import features, saliency
from cifar10.evaluation.explanations import Explainer
from cifar10.training import blocks
from cifar10.training.backbones import base
from cifar10.training.models import keras  # through `models`, which prepares the import of TensorFlow

POOLING = ("MaxPooling2D", "AveragePooling2D", "AdaptiveMaxPooling2D", "AdaptiveAveragePooling2D")


def explainer(model: keras.Model, mirror: bool = False) -> Explainer | None:
    """Compile the saliency maps of a network.

    With activations A, float32 (H, W, C), of the layer from `spatial_layer`, and the logit y of a class: the
    weight of a channel is the mean of dy/dA over all places. The map is max(0, A times the weights), summed
    over the channels. The logit is the input of the softmax or sigmoid.

    Args:
        model: from `models.build`, with trained weights.
        mirror: take the mean with the map of the mirror image, left and right exchanged, mirrored back.

    Returns:
        A function of uint8 (N, H, W, 3) images and int (N,) labels, 0 to K - 1. It returns uint8 (N, h, w),
        from `saliency.quantized`. The map of an image does not depend on the other images, bit for bit. None
        if `spatial_layer` finds none.
    """
    layer = spatial_layer(model)
    if layer is None:
        return None
    inputs, outputs = features.connected(model)
    activations = outputs[model.layers.index(layer)]
    taps = keras.Model(model.inputs, [activations, features.before_activation(model, inputs[-1])])
    specification = [tf.TensorSpec((1, *model.input_shape[1:]), tf.uint8), tf.TensorSpec((), tf.int64)]

    @tf.function(input_signature=specification, autograph=False)
    def of_image(image: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        activations, logits = taps(image, training=False)
        (gradient,) = tf.gradients(logits[0, label], activations)
        return tf.nn.relu(tf.reduce_sum(activations * tf.reduce_mean(gradient, [1, 2], keepdims=True), 3))[0]

    compiled = functools.cache(of_image.get_concrete_function)  # in the first call, and never again

    def explain(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        found = []  # one image at a time: the size of a batch decides the order of sums
        for image, label in zip(images, np.asarray(labels, np.int64), strict=True):
            sides = [image, image[:, ::-1]] if mirror else [image]
            maps = [compiled()(tf.constant(side[None]), tf.constant(label)).numpy() for side in sides]
            total = maps[0] + maps[1][:, ::-1] if mirror else maps[0]
            found.append(saliency.quantized(total))
        return np.array(found, np.uint8).reshape(len(images), *layer.output.shape[1:3])

    return explain


def spatial_layer(model: keras.Model) -> keras.layers.Layer | None:
    """Return the last layer whose outputs have places, (N, H, W, C); pooling layers at the end are skipped.

    None if no layer up to there has trained weights, in this training or before it: its outputs are the
    pixels, not what a network makes of them.
    """
    layers = blocks.in_order(model)
    last = next((layer for layer in layers[::-1] if _has_places(layer)), None)
    based = base.layers(model)
    if last is None or not any(
        layer.trainable_weights or (layer.weights and layer in based)
        for layer in layers[: layers.index(last) + 1]
    ):
        return None
    return last


def _has_places(layer: keras.layers.Layer) -> bool:
    shape = layer.output.shape
    return len(shape) == 4 and shape[1] * shape[2] > 1 and type(layer).__name__ not in POOLING
