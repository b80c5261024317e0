"""The dense layers of the training compute the same as those of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cifar10 import params
from cifar10.training import dense, models

RANDOM = np.random.default_rng(6)


def network(**arguments):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(70, activation="relu", **arguments), keras.layers.Dense(9, **arguments)]
    return keras.Sequential([keras.Input((40,)), *layers])


def gradients(model, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(outputs)) + tf.add_n([tf.constant(0.0), *model.losses])
    return [outputs, *tape.gradient(loss, [inputs, *(v.value for v in model.trainable_variables)])]


@pytest.mark.parametrize(
    "arguments", [{}, {"use_bias": False}, {"kernel_regularizer": "l2"}, {"activity_regularizer": "l2"}]
)
def test_outputs_and_gradients_are_those_of_keras(arguments):
    inputs = tf.constant(RANDOM.normal(size=(33, 40)), tf.float32)
    plain, ours = network(**arguments), network(**arguments)
    dense.accelerate(ours)
    for expected, found in zip(gradients(plain, inputs), gradients(ours, inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_it_is_our_gradient_that_is_computed():
    model = network()
    dense.accelerate(model)
    step = tf.function(lambda inputs: gradients(model, inputs), autograph=False).get_concrete_function(
        tf.TensorSpec((None, 40), tf.float32)
    )
    products = [op for op in step.graph.get_operations() if op.type == "MatMul"]
    assert len(products) == 6
    waiting = [op for op in products if op.get_attr("transpose_a")]
    assert len(waiting) == 2
    assert all(op.control_inputs for op in waiting)


def test_a_layer_on_more_than_vectors_is_left_to_keras():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((5, 4)), keras.layers.Dense(3)])
    inputs = tf.constant(RANDOM.normal(size=(2, 5, 4)), tf.float32)
    expected = model(inputs)
    dense.accelerate(model)
    np.testing.assert_array_equal(model(inputs), expected)


def test_the_file_of_a_model_does_not_tell(tmp_path):
    model = models.build("model_0", params.load().models["model_0"], 10)
    models.save(model, tmp_path / "plain.h5", {})
    dense.accelerate(model)
    models.save(model, tmp_path / "ours.h5", {})
    assert (tmp_path / "ours.h5").read_bytes() == (tmp_path / "plain.h5").read_bytes()
