"""Mixed precision: what is computed in 16 bits, and what a step then differs by."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cifar10 import params
from cifar10.errors import UserError
from cifar10.training import loop, mixed_precision, models

ENTRY = params.Model(
    optimizer={"SGD": {"learning_rate": 0.1}},
    layers=[
        {"Flatten": {}},
        {"Dense": {"units": 32}},
        {"BatchNormalization": {}},
        {"Activation": {"activation": "gelu"}},
        {"Dense": {"units": 3}},
        {"Softmax": {}},
    ],
)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (1, 16, 32, 32, 3), np.uint8)
LABELS = RANDOM.integers(0, 3, (1, 16))


def stepped(dtype: str) -> tuple[keras.Model, list[np.ndarray]]:
    """Do one step on equal start weights; return the model and the changes of its weights."""
    keras.utils.set_random_seed(0)
    model = models.build("m", ENTRY, 3)
    start = model.get_weights()
    optimizer = models.optimizer("m", ENTRY)
    loop.train_state(model, optimizer)
    loop.make_train_step(model, optimizer, dtype=dtype)(IMAGES, LABELS)
    return model, [after - before for after, before in zip(model.get_weights(), start, strict=True)]


def test_a_step_is_that_of_float32_but_for_rounding():
    """In float16: oneDNN's products in bfloat16 end the process on a CPU that is limited to AVX2."""
    _, exact = stepped("float32")
    model, rounded = stepped("mixed_float16")
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}  # again, after the trace
    difference = np.linalg.norm(
        np.concatenate([(a - b).ravel() for a, b in zip(exact, rounded, strict=True)])
    )
    change = np.linalg.norm(np.concatenate([a.ravel() for a in exact]))
    assert 1e-5 < difference / change < 0.03  # not equal: the arithmetic is another one


def test_normalisation_and_the_last_layers_stay_in_float32():
    model = models.build("m", ENTRY, 3)
    with mixed_precision.computed_in(model, "mixed_float16"):
        found = {layer.name: layer.compute_dtype for layer in model.layers}
        assert model(tf.constant(IMAGES[0])).dtype == tf.float32
    assert [name for name, dtype in found.items() if dtype == "float16"] == [
        "flatten",
        "dense",
        "activation",
    ]


def test_float16_needs_a_factor_of_the_loss():
    plain, scaled = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1, loss_scale_factor=1024)
    with pytest.raises(UserError, match=r"models.m.optimizer: .*loss_scale_factor"):
        mixed_precision.check("mixed_float16", plain, "models.m.optimizer")
    mixed_precision.check("mixed_float16", scaled, "models.m.optimizer")
    mixed_precision.check("mixed_bfloat16", plain, "models.m.optimizer")
