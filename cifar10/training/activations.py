"""The activation gelu by the error function, which needs no estimate of a reciprocal.

Keras uses TensorFlow's `erfc`. It starts from such an estimate, which differs between Intel and AMD.
"""

import math

import keras
import tensorflow as tf


def make_exact(layer: keras.layers.Layer) -> None:
    """Replace Keras' gelu in a layer; other activations are unchanged."""
    if getattr(layer, "activation", None) is keras.activations.gelu:
        layer.activation = gelu


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Compute x / 2 (1 + erf(x / sqrt(2))) (Hendrycks and Gimpel, Gaussian Error Linear Units, 2016).

    The name is that of Keras' function, which .h5 files therefore name.
    """
    return 0.5 * x * (1.0 + tf.math.erf(x * math.sqrt(0.5)))
