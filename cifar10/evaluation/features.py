"""Features, logits and probabilities of a batch of images."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cifar10.training import models
from cifar10.training.models import keras  # through `models`, which prepares the import of TensorFlow
from cifar10.training.probabilities import normalize


@dataclass(frozen=True)
class Outputs:
    """Outputs of a network for N images.

    Attributes:
        features: float32 (N, D), the input of the last layer with weights.
        logits: float64 (N, K).
        probabilities: float64 (N, K), the softmax of `logits`.
    """

    features: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray


def feature_extractor(model: keras.Sequential) -> Callable[[np.ndarray], Outputs]:
    """Compile a network so that one forward pass gives features, logits and probabilities.

    The logits of a softmax layer are its inputs. A sigmoid layer is trained as p_k = s_k / sum(s), which is
    the softmax of log s, so its logits are log s.

    Args:
        model: from `models.build`, with trained weights.

    Returns:
        A function of uint8 (N, 32, 32, 3) images. The outputs of an image do not depend on the other images.
    """
    last = max((index for index, layer in enumerate(model.layers) if layer.weights), default=-1)
    taps = keras.Model(model.inputs, [model.layers[last].input, _before_activation(model), model.outputs[0]])
    sigmoid = models.output_activation(model) == "sigmoid"
    predict = models.predictor(taps)

    def extract(images: np.ndarray) -> Outputs:
        features, raw, scores = predict(images)
        logits = raw.astype(np.float64)
        logits = -np.logaddexp(0, -logits) if sigmoid else logits
        return Outputs(
            features.reshape(len(features), int(np.prod(features.shape[1:]))), logits, normalize(scores)
        )

    return extract


def _before_activation(model: keras.Sequential) -> keras.KerasTensor:
    """Return the input of the output's softmax or sigmoid."""
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        return last.input  # the activation is a separate layer
    linear = keras.layers.Dense(last.units, use_bias=last.use_bias)
    raw = linear(last.input)
    linear.set_weights(last.get_weights())
    return raw
