"""Training: the loss against numpy, the steps against Keras' own `fit`, the order of the images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cifar10 import params
from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.training import loop, losses, models
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


@pytest.mark.parametrize("name", ["model_1", "model_2"])
def test_an_epoch_is_that_of_keras_fit(name):
    data = split(250)  # seven batches of 32 and one of 26
    keras.utils.set_random_seed(0)
    reference = models.build(name, PARAMS.models[name], 10)
    (kind, arguments), *_ = PARAMS.models[name].optimizer.items()
    reference.compile(
        getattr(keras.optimizers, kind)(**arguments), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    order = np.concatenate([b.ravel() for b in loop.shuffled_batches(250, 32, 0, 1)])
    fitted = reference.fit(data.images[order], data.labels[order], batch_size=32, shuffle=False, verbose=0)
    model, (epoch,) = run(name, data)
    assert epoch.loss == pytest.approx(fitted.history["loss"][0], rel=1e-4)
    assert epoch.accuracy == pytest.approx(fitted.history["accuracy"][0], abs=1e-6)
    for ours, theirs in zip(model.get_weights(), reference.get_weights(), strict=True):
        # Adam moves a weight by up to its rate a step whatever the size of its gradient, rounding included
        assert np.abs(ours - theirs).mean() < 1e-5


def test_validation_figures_are_those_of_the_final_weights():
    validation = split(60)
    model, (epoch,) = run("model_0", split(64), validation)
    scores = models.predictor(model)(validation.images)[0].astype(np.float64)
    shares = scores / scores.sum(axis=1, keepdims=True)
    assert epoch.val_accuracy == pytest.approx((shares.argmax(axis=1) == validation.labels).mean())
    assert epoch.val_loss == pytest.approx(-np.log(shares[np.arange(60), validation.labels]).mean())


def test_without_validation_images_there_are_no_validation_figures():
    _, (epoch,) = run("model_0", split(64))
    assert (epoch.val_loss, epoch.val_accuracy) == (None, None)


def test_every_image_comes_once_an_epoch_in_an_order_of_its_own():
    epochs = [np.concatenate([b.ravel() for b in loop.shuffled_batches(1000, 32, 7, e)]) for e in (1, 2)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(1000))
    assert (epochs[0] != epochs[1]).any()
    again = np.concatenate([b.ravel() for b in loop.shuffled_batches(1000, 32, 7, 2)])
    np.testing.assert_array_equal(again, epochs[1])


def test_a_diverging_training_says_so():
    optimizer = keras.optimizers.SGD(1e30)
    with pytest.raises(
        UserError, match=r"model_2: the loss of epoch 1 is (nan|inf) from step [23] on: .*learning_rate"
    ):
        run("model_2", split(640), optimizer=optimizer)


@pytest.mark.parametrize("name", ["model_0", "model_1", "model_2"])
def test_a_restored_state_goes_on_to_the_same_weights(name, tmp_path):
    data, validation = split(200), split(20)
    settings = SETTINGS.model_copy(update={"epochs": 3})
    whole, epochs = run(name, data, validation, settings)
    saved = Checkpoint(tmp_path / "state.npz", "this training", {})

    keras.utils.set_random_seed(0)
    model = models.build(name, PARAMS.models[name], 10)
    optimizer = models.optimizer(name, PARAMS.models[name])
    variables = loop.train_state(model, optimizer)
    first = loop.train(model, optimizer, data, validation, settings, 0, [], lambda *_: None)
    saved.save([next(first).row()], variables)

    keras.utils.set_random_seed(99)  # of a process that knows nothing of the first
    model = models.build(name, PARAMS.models[name], 10)
    optimizer = models.optimizer(name, PARAMS.models[name])
    history = saved.load(loop.train_state(model, optimizer))
    rest = loop.train(model, optimizer, data, validation, settings, 0, history, lambda *_: None)
    history += [epoch.row() for epoch in rest]
    assert history == [epoch.row() for epoch in epochs]
    for ours, theirs in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


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

    def start(seed, epochs, saved):
        keras.utils.set_random_seed(seed)
        model = models.build("random", entry, 10)
        optimizer = models.optimizer("random", entry)
        variables = loop.train_state(model, optimizer)
        history = saved.load(variables)
        settings = SETTINGS.model_copy(update={"epochs": epochs})
        for epoch in loop.train(
            model, optimizer, split(64), split(0), settings, 0, history, lambda *_: None, augment
        ):
            history.append(epoch.row())
        saved.save(history, variables)
        return history, model.get_weights()

    expected, weights = start(0, 2, Checkpoint(tmp_path / "whole.npz", "this training", {}))
    saved = Checkpoint(tmp_path / "state.npz", "this training", {})
    start(0, 1, saved)
    found, resumed = start(99, 2, saved)  # 99: a process that knows nothing of the first
    assert found == expected
    for ours, theirs in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
