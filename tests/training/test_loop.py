"""Training: the loss against numpy, the steps against Keras' own `fit`, the order of the images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cifar10 import params
from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.training import image_order, loop, losses, models
from cifar10.training.checkpoint import Checkpoint

pytestmark = pytest.mark.slow

PARAMS = params.load()
SETTINGS = PARAMS.train.model_copy(update={"epochs": 1})


def split(images):
    generator = np.random.default_rng(2)
    return Split(
        generator.integers(0, 256, (images, 32, 32, 3), dtype=np.uint8), generator.integers(0, 10, images)
    )


def run(name, data, validation=None, settings=SETTINGS, optimizer=None):
    keras.utils.set_random_seed(0)
    model = models.build(name, PARAMS.models[name], 10)
    optimizer = optimizer or models.optimizer(name, PARAMS.models[name])
    loop.train_state(model, optimizer)
    epochs = loop.train(model, optimizer, data, validation or split(0), settings, 0, [], lambda *_: None)
    return model, list(epochs)


def test_loss_of_sigmoid_scores_is_that_of_their_share_in_the_sum():
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (50, 10))
    labels = generator.integers(0, 10, 50).astype(np.int32)
    scores = 1 / (1 + np.exp(-logits))
    expected = -np.log(scores[np.arange(50), labels] / scores.sum(axis=1))
    dense = keras.activations.sigmoid(tf.constant(logits, tf.float32))
    np.testing.assert_allclose(losses.batch_loss(dense, labels, sigmoid=True), expected, rtol=1e-5)


def test_loss_of_softmax_scores_is_minus_log_p():
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (50, 10))
    labels = generator.integers(0, 10, 50).astype(np.int32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = keras.activations.softmax(tf.constant(logits, tf.float32))
    expected = -np.log(shares[np.arange(50), labels])
    np.testing.assert_allclose(losses.batch_loss(scores, labels, sigmoid=False), expected, rtol=1e-4)


def test_an_epoch_is_that_of_keras_fit():
    name = "model_1"
    data = split(90)  # two batches of 32 and one of 26
    keras.utils.set_random_seed(0)
    reference = models.build(name, PARAMS.models[name], 10)
    (kind, arguments), *_ = PARAMS.models[name].optimizer.items()
    plain = getattr(keras.optimizers, kind)(**arguments)
    reference.compile(plain, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    order = np.concatenate([b.ravel() for b in image_order.shuffled_batches(90, 32, 0, 1)])
    fitted = reference.fit(data.images[order], data.labels[order], batch_size=32, shuffle=False, verbose=0)
    model, (epoch,) = run(name, data)
    assert (epoch.val_loss, epoch.val_accuracy) == (None, None)  # without validation images
    assert epoch.loss == pytest.approx(fitted.history["loss"][0], rel=1e-4)
    assert epoch.accuracy == pytest.approx(fitted.history["accuracy"][0], abs=1e-6)
    for ours, theirs in zip(model.get_weights(), reference.get_weights(), strict=True):
        # Adam moves a weight by up to its rate a step whatever the size of its gradient, rounding included
        assert np.abs(ours - theirs).mean() < 1e-5


def test_a_diverging_training_says_so():
    optimizer = keras.optimizers.SGD(1e30)
    with pytest.raises(
        UserError, match=r"model_2: the loss of epoch 1 is (nan|inf) from step [23] on: .*learning_rate"
    ):
        run("model_2", split(128), optimizer=optimizer)


def go_on_after_an_epoch(name, entry, data, validation, path, augment=None):
    """Train for two epochs; do the second once more from a checkpoint, with the same rows and weights."""

    def start(seed):
        keras.utils.set_random_seed(seed)
        model = models.build(name, entry, 10)
        return model, models.optimizer(name, entry)

    def epochs(model, optimizer, history):
        settings = SETTINGS.model_copy(update={"epochs": 2})
        return loop.train(model, optimizer, data, validation, settings, 0, history, lambda *_: None, augment)

    saved, (model, optimizer) = Checkpoint(path, "this training", {}), start(0)
    variables = loop.train_state(model, optimizer)
    training = epochs(model, optimizer, [])
    expected = [next(training).row()]
    saved.save(expected, variables)
    expected += [epoch.row() for epoch in training]

    resumed, optimizer = start(99)  # of a process that knows nothing of the first
    history = saved.load(loop.train_state(resumed, optimizer))
    history += [epoch.row() for epoch in epochs(resumed, optimizer, history)]
    assert history == expected
    for ours, theirs in zip(resumed.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return history, resumed


def test_a_restored_state_goes_on_to_the_same_weights_and_validation_figures_are_theirs(tmp_path):
    """With Adam; tests/training/test_selection.py goes on with SGD."""
    entry, validation = PARAMS.models["model_0"], split(60)
    history, model = go_on_after_an_epoch("model_0", entry, split(70), validation, tmp_path / "state.npz")
    scores = models.predictor(model)(validation.images)[0].astype(np.float64)
    shares = scores / scores.sum(axis=1, keepdims=True)
    epoch = history[-1]
    assert epoch["val_accuracy"] == pytest.approx((shares.argmax(axis=1) == validation.labels).mean())
    assert epoch["val_loss"] == pytest.approx(-np.log(shares[np.arange(60), validation.labels]).mean())


RANDOM = [  # layers, all with a generator of their own
    {"RandomFlip": {"mode": "horizontal"}},
    {"RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1, "interpolation": "nearest"}},
    {"RandomRotation": {"factor": 0.1}},
    {"RandomBrightness": {"factor": 0.2}},
    {"RandomContrast": {"factor": 0.2}},
    {"RandomErasing": {}},
    {"GaussianNoise": {"stddev": 0.1}},
    {"AveragePooling2D": {"pool_size": 8}},
    {"Residual": {"layers": [{"SpatialDropout2D": {"rate": 0.2}}]}},
    {"Flatten": {}},
    {"GaussianDropout": {"rate": 0.2}},
    {"Dropout": {"rate": 0.5}},
    {"Dense": {"units": 10, "activation": "softmax"}},
]


def test_random_layers_and_augmentation_go_on_as_without_an_interruption(tmp_path):
    entry = params.Model(optimizer={"Adam": {}}, layers=RANDOM)
    augment = params.Augment(flip="alternating", shift=2, cutout=8, outliers=0.25)
    go_on_after_an_epoch("random", entry, split(64), split(0), tmp_path / "state.npz", augment)
