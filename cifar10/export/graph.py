"""One Keras graph from images to probabilities: trainings of a model, mirror images, temperature."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cifar10.training import models
from cifar10.training.models import keras  # through `models`, which prepares the import of TensorFlow

INPUT = "image"  # name of the input
SMALLEST_LOG = float(np.log(np.finfo(np.float64).tiny))  # of a probability of 0, as in `temperature.scaled`
UNDERFLOW = float(np.log(np.finfo(np.float32).tiny))  # a logit below: its sigmoid is 0 in float32


def build(name: str, trainings: Sequence[keras.Model], mirror: bool, temperature: float) -> keras.Model:
    """Build the graph that gives the same probabilities as `predictor.Classifier`.

    It consists of Keras' own layers and operations, so that Keras reads its file without this project.

    Args:
        name: of the model.
        trainings: from `models.build`, with trained weights; at least one.
        mirror: average the probabilities of an image and of its mirror image.
        temperature: of the mean probabilities, positive.

    Returns:
        A model from uint8 (N, H, W, 3) to float32 (N, K), rows sum to 1.
    """
    ops = keras.ops
    image = keras.Input(trainings[0].input_shape[1:], dtype="uint8", name=INPUT)
    views = [image, image[:, :, ::-1]] if mirror else [image]
    found = []
    for index, training in enumerate(trainings):
        sigmoid = models.output_activation(training) == "sigmoid"
        network = plain(training, f"training_{index}", logits=sigmoid)
        scores = [network(view) for view in views]
        found += [_normalized(each) for each in scores] if sigmoid else scores
    mean = sum(found[1:], found[0]) / len(found) if len(found) > 1 else found[0]
    if temperature != 1:
        mean = ops.softmax(ops.maximum(ops.log(mean), SMALLEST_LOG) / temperature)
    return keras.Model(image, mean, name=name)


def plain(model: keras.Model, name: str, logits: bool = False) -> keras.Model:
    """Copy a network as Keras itself builds it, without the exact arithmetic of `models.build`.

    Args:
        model: from `models.build`.
        name: of the copy.
        logits: leave out the activation of the last layer.
    """
    config = model.get_config()
    if logits:
        last = next(each for each in config["layers"] if each["config"]["name"] == model.layers[-1].name)
        last["config"]["activation"] = "linear"
    copy = type(model).from_config(config | {"name": name})
    copy.set_weights(model.get_weights())
    return copy


def _normalized(logits: Any) -> Any:
    """Divide sigmoid scores by their sum, as `probabilities.normalize`: the softmax of log s.

    Logarithms keep the digits of small scores. A row of scores that are all 0 in float32 becomes 1 / K.
    """
    ops = keras.ops
    logs = ops.minimum(logits, 0.0) - ops.log(1.0 + ops.exp(-ops.abs(logits)))
    gone = ops.max(logits, axis=-1, keepdims=True) < UNDERFLOW
    return ops.where(gone, 1 / logits.shape[-1], ops.softmax(logs))
