"""What a network makes of images on its way to an answer."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Outputs:
    """What came out for N images, in their order.

    `features` are float32 (N, D), what goes into the last layer with weights; `logits` float64 (N, K), of
    which `probabilities`, float64 (N, K), are the softmax.
    """

    features: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
