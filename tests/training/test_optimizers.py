"""The fused Adam computes the same as Keras' Adam."""

import keras
import numpy as np
import pytest

from cifar10.training.optimizers import FusedAdam


@pytest.mark.parametrize(
    "arguments", [{}, {"beta_1": 0.5, "epsilon": 1e-3}, {"weight_decay": 0.01, "clipnorm": 1.0}]
)
def test_thirty_steps_are_those_of_keras(arguments):
    generator = np.random.default_rng(4)
    start = generator.normal(size=(30, 20)).astype(np.float32)
    gradients = generator.normal(size=(30, 30, 20)).astype(np.float32)
    results = []
    for kind in (keras.optimizers.Adam, FusedAdam):
        variable = keras.Variable(start)
        optimizer = kind(learning_rate=0.01, **arguments)
        for gradient in gradients:
            optimizer.apply([gradient], [variable])
        results.append(variable.numpy())
    np.testing.assert_allclose(
        results[1], results[0], rtol=1e-5, atol=1e-5
    )  # of steps that add up to about 0.3
    assert np.abs(results[0] - start).max() > 0.01


def test_amsgrad_is_left_to_keras():
    assert FusedAdam.can_do({"learning_rate": 0.1})
    assert not FusedAdam.can_do({"amsgrad": True})
