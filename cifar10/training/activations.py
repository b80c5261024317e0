"""The activation gelu by the error function, which needs no estimate of a reciprocal.

Keras uses TensorFlow's `erfc`. It starts from such an estimate, which differs between Intel and AMD.
"""

import math
from collections.abc import Callable

import keras
import tensorflow as tf


def make_exact(layer: keras.layers.Layer) -> None:
    """Replace Keras' gelu in a layer; other activations are unchanged."""
    if getattr(layer, "activation", None) is keras.activations.gelu:
        layer.activation = gelu


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Compute x Phi(x) (Hendrycks and Gimpel, Gaussian Error Linear Units, 2016).

    Phi(x) = (1 + erf(x / sqrt(2))) / 2. The gradient is Phi(x) + x phi(x), with the normal density phi; it
    takes a third less time than the gradient that TensorFlow derives. The name is that of Keras' function,
    which .h5 files therefore name.
    """
    return _gelu(x)


@tf.custom_gradient
def _gelu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    share = tf.math.erf(x * math.sqrt(0.5)) * 0.5 + 0.5

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        density = tf.exp(tf.square(x) * -0.5) * (1 / math.sqrt(2 * math.pi))
        return upstream * (share + x * density)

    return x * share, gradient
