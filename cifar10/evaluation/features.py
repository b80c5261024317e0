"""Look inside a network: what goes into its last layer, and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cifar10.training import models
from cifar10.training.models import keras  # by way of it, which sets what they read when they are imported
from cifar10.training.probabilities import normalize


@dataclass(frozen=True)
class Outputs:
    """What came out for N images, in their order.

    `features` are float32 (N, D), what goes into the last layer with weights; `logits` float64 (N, K), of
    which `probabilities`, float64 (N, K), are the softmax.
    """

    features: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray


def looker(model: keras.Sequential) -> Callable[[np.ndarray], Outputs]:
    """Compile a network so that one pass gives features, logits and probabilities.

    The logits of a softmax layer are what goes into it. A sigmoid layer is trained as p_k = s_k / sum(s),
    which is the softmax of log s: so its logits are log s.

    Args:
        model: from `models.build`, with the weights that count.

    Returns:
        A function of uint8 (N, 32, 32, 3). An image comes out the same, whatever others come with it.
    """
    last = max((index for index, layer in enumerate(model.layers) if layer.weights), default=-1)
    taps = keras.Model(model.inputs, [model.layers[last].input, _before_activation(model), model.outputs[0]])
    sigmoid = models.output_activation(model) == "sigmoid"
    predict = models.predictor(taps)

    def look(images: np.ndarray) -> Outputs:
        features, raw, scores = predict(images)
        logits = raw.astype(np.float64)
        logits = -np.logaddexp(0, -logits) if sigmoid else logits
        return Outputs(
            features.reshape(len(features), int(np.prod(features.shape[1:]))), logits, normalize(scores)
        )

    return look


def _before_activation(model: keras.Sequential) -> keras.KerasTensor:
    """Give what goes into the output's softmax or sigmoid."""
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        return last.input  # an activation that is a layer of its own
    linear = keras.layers.Dense(last.units, use_bias=last.use_bias)
    raw = linear(last.input)
    linear.set_weights(last.get_weights())
    return raw
