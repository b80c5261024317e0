"""The loss of a batch: cross-entropy, with label smoothing and class weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from cifar10.errors import UserError

SMALLEST = 1e-7  # of a probability, as in Keras


def batch_loss(
    scores: tf.Tensor, labels: tf.Tensor, sigmoid: bool, smoothing: float = 0.0, outliers: bool = False
) -> tf.Tensor:
    """Compute -log p of the true class, with p_k = s_k / sum(s).

    The scores of a softmax layer already sum to 1; Keras' function computes their loss from the logits, which
    is numerically safer. For a sigmoid layer, Keras' function would use the softmax of the logits, which is
    another loss. Its scores are therefore normalised here.

    With label smoothing a, the loss is the cross-entropy with the targets 1 - a + a / K for the true class
    and a / K for the others (Szegedy et al., Rethinking the Inception Architecture, CVPR 2016).

    Args:
        scores: float32 (N, K), the output of a softmax or a sigmoid layer.
        labels: int32 (N,).
        sigmoid: whether the layer is a sigmoid.
        smoothing: a, from 0 to below 1.
        outliers: whether labels can be -1, an outlier: its targets are 1 / K.

    Returns:
        float32 (N,), in nats; p is clipped at 1e-7.
    """
    classes = scores.shape[-1]
    if outliers:
        equal = tf.where(labels < 0, 1.0, smoothing)[:, tf.newaxis] / classes
        targets = tf.one_hot(labels, classes) * (1 - smoothing) + equal  # one_hot of -1 is 0
        if not sigmoid:
            return keras.losses.categorical_crossentropy(targets, scores)
        probabilities = scores / tf.reduce_sum(scores, axis=-1, keepdims=True)
        return -tf.reduce_sum(targets * _log(tf.clip_by_value(probabilities, SMALLEST, 1.0)), axis=-1)
    if not sigmoid:
        if not smoothing:
            return keras.losses.sparse_categorical_crossentropy(labels, scores)
        targets = tf.one_hot(labels, classes)
        return keras.losses.categorical_crossentropy(targets, scores, label_smoothing=smoothing)
    probabilities = scores / tf.reduce_sum(scores, axis=-1, keepdims=True)
    if not smoothing:
        return -_log(tf.clip_by_value(tf.gather(probabilities, labels, batch_dims=1), 1e-7, 1.0))
    targets = tf.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
    return -tf.reduce_sum(targets * _log(tf.clip_by_value(probabilities, SMALLEST, 1.0)), axis=-1)


def class_weights(
    setting: Mapping[str, float] | Literal["balanced"] | None,
    labels: np.ndarray,
    class_names: Sequence[str],
    key: str,
) -> np.ndarray | None:
    """Return the factors of the losses of each class's images, as of `class_weight` in Keras' `fit`.

    Args:
        setting: of params.yaml. `balanced`: N / (K N_k) for N_k of the N images in class k of K, as in
            scikit-learn. A class without a weight has the weight 1.
        labels: int (N,), of the training images.
        class_names: K names.
        key: position in params.yaml, for errors.

    Returns:
        float32 (K,); None for equal weights.

    Raises:
        UserError: the setting names a class that the data do not have.
    """
    if setting is None:
        return None
    if setting == "balanced":
        counts = np.bincount(labels, minlength=len(class_names))
        return (len(labels) / (len(class_names) * np.maximum(counts, 1))).astype(np.float32)
    if unknown := setting.keys() - {*class_names}:
        raise UserError(
            f"{key}: got the class {min(unknown)!r}, expected names of classes: {', '.join(class_names)}"
        )
    return np.array([setting.get(name, 1.0) for name in class_names], np.float32)


@tf.custom_gradient
def _log(values: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Compute the logarithm; its gradient divides.

    TensorFlow's own gradient multiplies by a reciprocal. The reciprocal starts from an estimate
    (RCPPS), which differs between Intel and AMD.
    """
    return tf.math.log(values), lambda upstream: upstream / values
