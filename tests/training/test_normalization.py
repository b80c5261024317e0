"""The normalisation layers compute the same as those of Keras, without approximations of a processor."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from cifar10.params import Model
from cifar10.training import activations, batch_norm, loop, models, normalization, optimizers

RANDOM = np.random.default_rng(3)
INPUTS = RANDOM.normal(1, 2, (6, 5, 4, 8)).astype(np.float32)
UPSTREAM = RANDOM.normal(size=INPUTS.shape).astype(np.float32)
APPROXIMATE = {"Rsqrt", "RsqrtGrad", "Reciprocal", "ReciprocalGrad", "Inv", "InvGrad", "Erfc"}  # by processor
LAYERS = [
    ("BatchNormalization", {}),
    ("BatchNormalization", {"axis": 1, "momentum": 0.6}),
    ("BatchNormalization", {"scale": False, "epsilon": 1e-5}),
    ("BatchNormalization", {"center": False}),
    ("BatchNormalization", {"scale": False, "center": False}),
    ("GroupNormalization", {"groups": 4}),
    ("GroupNormalization", {"groups": 2, "axis": 2}),
    ("GroupNormalization", {"groups": 8, "scale": False}),
    ("LayerNormalization", {}),
    ("LayerNormalization", {"axis": [1, 3], "center": False}),
    ("RMSNormalization", {}),
    ("UnitNormalization", {}),
    ("UnitNormalization", {"axis": [1, 2]}),
]


def layers(kind, arguments):
    """Build a layer of Keras and ours with the same weights, which are not those of a new layer."""
    plain, ours = (getattr(keras.layers, kind)(**arguments) for _ in range(2))
    for layer in (plain, ours):
        layer.build(INPUTS.shape)
    weights = [1 + 0.3 * RANDOM.random(weight.shape) for weight in plain.get_weights()]
    plain.set_weights(weights)
    ours.set_weights(weights)
    normalization.make_exact(ours)
    return plain, ours


def results(layer, training, compiled):
    """Return outputs, gradients and the weights afterwards."""
    options = {"training": training} if isinstance(layer, keras.layers.BatchNormalization) else {}

    def call(inputs, upstream):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, **options)
        sources = [inputs, *(variable.value for variable in layer.trainable_variables)]
        return [outputs, *tape.gradient(outputs, sources, output_gradients=upstream)]

    run = tf.function(call, autograph=False) if compiled else call
    return [*run(tf.constant(INPUTS), tf.constant(UPSTREAM)), *layer.get_weights()]


@pytest.mark.parametrize(
    ("kind", "arguments", "training"),
    [
        *((*layer, True) for layer in LAYERS),
        *(
            (*layer, False) for layer in LAYERS if layer[0] == "BatchNormalization"
        ),  # the others do not differ
    ],
    ids=str,
)
def test_outputs_gradients_and_statistics_are_those_of_keras(kind, arguments, training):
    plain, ours = layers(kind, arguments)
    theirs = results(plain, training, compiled=False)
    for expected, found in zip(theirs, results(ours, training, compiled=True), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


def operations(call, *arguments):
    """Return the names of the operations that TensorFlow runs for the first call of a compiled function.

    They are those of the graph after TensorFlow has rewritten it. The first record of a process is empty.
    """
    for compiled, given in ((tf.function(tf.sqrt, autograph=False), [tf.constant(1.0)]), (call, arguments)):
        context.context().enable_run_metadata()
        compiled(*given)
        found = context.context().export_run_metadata().function_graphs
        context.context().disable_run_metadata()
    graphs = [graph for each in found for graph in (each.post_optimization_graph, *each.partition_graphs)]
    functions = [function for graph in graphs for function in graph.library.function]
    return {node.op for graph in graphs for node in graph.node} | {
        node.op for function in functions for node in function.node_def
    }


def network(*between):
    layers = [{"Conv2D": {"filters": 8, "kernel_size": 8, "strides": 8, "use_bias": False}}, *between]
    layers += [{"GlobalMaxPooling2D": {}}, {"Dense": {"units": 3, "activation": "softmax"}}]
    return Model(optimizer={"SGD": {"momentum": 0.9}}, layers=layers)


def test_a_training_step_and_a_prediction_use_no_approximation():
    layers = [{"BatchNormalization": {}}, {"Activation": {"activation": "gelu"}}]
    layers += [{"GroupNormalization": {"groups": 4}}, {"Activation": {"activation": "silu"}}]
    entry = network(*layers, {"LayerNormalization": {}}, {"RMSNormalization": {}})
    model, optimizer = models.build("m", entry, 3), models.optimizer("m", entry)
    loop.train_state(model, optimizer)
    images = RANDOM.integers(0, 256, (2, 4, 32, 32, 3), np.uint8)
    run = loop.make_train_step(model, optimizer, 0.1, np.ones(3, np.float32))
    found = operations(run, images, RANDOM.integers(0, 3, (2, 4)))
    assert "Sqrt" in found
    assert not found & APPROXIMATE
    forward = tf.function(lambda batch: model(batch, training=False), autograph=False)
    found = operations(forward, tf.constant(images[0]))
    assert not found & APPROXIMATE


@pytest.mark.parametrize("kind", ["SGD", *optimizers.REWRITTEN, "Adam"])
def test_a_step_of_an_optimizer_uses_no_approximation(kind):
    entry = network().model_copy(update={"optimizer": {kind: {}}})
    model, optimizer = models.build("m", entry, 3), models.optimizer("m", entry)
    loop.train_state(model, optimizer)
    images, labels = RANDOM.integers(0, 256, (2, 4, 32, 32, 3), np.uint8), RANDOM.integers(0, 3, (2, 4))
    found = operations(loop.make_train_step(model, optimizer), images, labels)
    assert "MatMul" in found
    assert not found & APPROXIMATE


def test_the_statistics_are_those_of_all_images():
    entry = network({"BatchNormalization": {}}, {"Dropout": {"rate": 0.5}})
    model = models.build("m", entry, 3)
    images = RANDOM.integers(0, 256, (40, 32, 32, 3), np.uint8)
    layer = model.layers[2]
    layer.set_weights([2 * np.ones(8), *layer.get_weights()[1:3], 7 * np.ones(8)])
    batch_norm.renew_statistics(model, [images[:20], images[20:]])
    before = keras.Model(model.inputs, model.layers[1].output)(images).numpy().reshape(2, -1, 8)
    np.testing.assert_allclose(layer.moving_mean, before.mean(axis=(0, 1)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, before.var(axis=1).mean(axis=0), rtol=1e-4)
    expected = model(images, training=False).numpy()
    np.testing.assert_array_equal(model(images, training=False).numpy(), expected)  # as before: inference


def test_the_file_of_a_model_does_not_tell(tmp_path):
    entry = network({"BatchNormalization": {}}, {"Activation": {"activation": "gelu"}})
    model = models.build("m", entry, 3)
    models.save(model, tmp_path / "ours.h5", {})
    plain = keras.models.load_model(tmp_path / "ours.h5", compile=False)
    images = RANDOM.integers(0, 256, (4, 32, 32, 3), np.uint8)
    assert plain.layers[3].activation is keras.activations.gelu
    np.testing.assert_allclose(plain(images), model(images), rtol=1e-5)


def test_gelu_and_its_gradient_are_those_of_keras():
    inputs = tf.constant(np.linspace(-8, 8, 1001), tf.float32)
    results = []
    for function in (keras.activations.gelu, activations.gelu):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(inputs)
        results.append((outputs, tape.gradient(outputs, inputs)))
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_normalisation_within_a_block_is_exact_and_renewed():
    inner = [{"Conv2D": {"filters": 8, "kernel_size": 1}}, {"BatchNormalization": {"momentum": 0.5}}]
    model = models.build("m", network({"Residual": {"layers": inner}}), 3)
    images = RANDOM.integers(0, 256, (8, 32, 32, 3), np.uint8)
    (layer,) = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    batch_norm.renew_statistics(model, [images])
    forward = tf.function(lambda batch: model(batch, training=True), autograph=False)
    found = operations(forward, tf.constant(images))
    assert "Sqrt" in found
    assert not found & APPROXIMATE
    renewed = layer.moving_mean.numpy()
    assert np.abs(renewed).max() > 0
    model(images, training=True)  # the same batch again: the means stay
    np.testing.assert_allclose(layer.moving_mean, renewed, rtol=1e-5, atol=1e-6)
