"""Outputs of a network that does not exist: random numbers."""

import numpy as np
from scipy.special import softmax

from cifar10.evaluation.features import Outputs

RANDOM = np.random.default_rng(5)


def outputs(count: int, shift: float = 0) -> Outputs:
    """Make the outputs for some images: 4 classes, 6 features, hidden layers of 3 and 5 units."""
    logits = RANDOM.normal(size=(count, 4)) * 3
    features = np.abs(RANDOM.normal(size=(count, 6)) + shift).astype(np.float32)
    layers = [(RANDOM.normal(size=(count, width)) + shift).astype(np.float32) for width in (3, 5)]
    return Outputs(features, logits, softmax(logits, axis=1), layers)
