"""Synthetic outliers: how they are made and mixed into batches, and the loss that they add."""

import hashlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from cifar10 import params
from cifar10.data.dataset import Split
from cifar10.evaluation import pseudo_ood
from cifar10.params import Augment
from cifar10.training import loop, losses, models, outlier_kinds, outliers

RANDOM = np.random.default_rng(3)
TRAINING = Split(RANDOM.integers(0, 256, (60, 32, 32, 3), np.uint8), np.arange(60) % 3)
SHARE = Augment(outliers=0.25, shift=2)
LAYERS = [{"Flatten": {}}, {"Dense": {"units": 3, "activation": "softmax"}}]


@pytest.mark.parametrize("kind", outlier_kinds.KINDS)
def test_each_kind_makes_varied_pictures(kind):
    random = np.random.default_rng(0)
    made = [kind(TRAINING, random) for _ in range(200)]
    assert {(picture.shape, picture.dtype) for picture in made} == {((32, 32, 3), np.dtype(np.uint8))}
    known = {image.tobytes() for image in TRAINING.images}
    assert not any(picture.tobytes() in known for picture in made)
    assert len({picture.tobytes() for picture in made}) >= 150


def test_all_kinds_fill_images_of_any_shape():
    random = np.random.default_rng(5)
    wide = Split(random.integers(0, 256, (9, 24, 130, 3), np.uint8), np.arange(9) % 3)
    for kind in outlier_kinds.KINDS:
        made = kind(wide, random)
        assert (made.shape, made.dtype) == ((24, 130, 3), np.dtype(np.uint8)), kind
    for kind, made in pseudo_ood.make(wide.images, wide.labels).items():
        assert made.shape[1:] == (24, 130, 3), kind
    puzzles = pseudo_ood.make(wide.images, wide.labels)["puzzles"]
    assert not np.array_equal(puzzles, wide.images)
    np.testing.assert_array_equal(puzzles[:, :, 128:], wide.images[:, :, 128:])  # no whole tile
    for image, puzzle in zip(wide.images, puzzles, strict=True):
        np.testing.assert_array_equal(np.sort(puzzle, axis=None), np.sort(image, axis=None))


@pytest.fixture(scope="module")
def pool():
    return outliers.pool(TRAINING, SHARE, 0)


def test_the_pool_depends_on_the_seed_alone(pool):
    assert pool.shape == (outliers.LEAST, 32, 32, 3)
    np.testing.assert_array_equal(pool, outliers.pool(TRAINING, SHARE, 0))
    assert not np.array_equal(pool, outliers.pool(TRAINING, SHARE, 1))
    grey = (pool[..., 0] == pool[..., 1]).all(axis=(1, 2)) & (pool[..., 1] == pool[..., 2]).all(axis=(1, 2))
    assert 0.28 < grey.mean() < 0.42
    assert outliers.pool(TRAINING, Augment(shift=2), 0) is None
    assert outliers.pool(TRAINING, None, 0) is None


def test_the_pool_has_the_same_bytes_on_every_processor():
    black = Split(np.zeros((10, 32, 32, 3), np.uint8), np.arange(10))  # images that no generator draws
    found = hashlib.sha256(outliers.pool(black, SHARE, 7)).hexdigest()
    assert found.startswith("2a13e9ea3189eda7")  # recorded on AMD EPYC (family 26) with and without AVX2


def test_outliers_follow_the_images_of_a_batch(pool):
    batches = np.arange(40).reshape(2, 20)
    images, labels = outliers.reader(TRAINING, SHARE, pool, 0, 1)(batches)
    assert images.shape == (2, 25, 32, 32, 3)
    np.testing.assert_array_equal(labels[:, :20], TRAINING.labels[batches])
    assert (labels[:, 20:] == -1).all()
    known = {picture.tobytes() for picture in pool}
    assert all(picture.tobytes() in known for picture in images[:, 20:].reshape(-1, 32, 32, 3))
    again, _ = outliers.reader(TRAINING, SHARE, pool, 0, 1)(batches[1:])
    np.testing.assert_array_equal(again[0], images[1])  # whatever batches came before
    other, _ = outliers.reader(TRAINING, SHARE, pool, 0, 2)(batches)
    assert not np.array_equal(other[:, 20:], images[:, 20:])
    assert [outliers.count(batch, 0.125) for batch in (1, 4, 128)] == [1, 1, 16]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_loss_of_an_outlier_is_the_cross_entropy_with_equal_probabilities(activation):
    logits = tf.constant(RANDOM.normal(size=(6, 3)), tf.float32)
    scores = keras.activations.get(activation)(logits)
    labels = tf.constant([0, -1, 2, -1, 1, -1])
    found = losses.batch_loss(scores, labels, activation == "sigmoid", 0.1, outliers=True).numpy()
    probabilities = scores.numpy() / scores.numpy().sum(axis=1, keepdims=True)
    for index, label in enumerate(labels.numpy()):
        targets = np.full(3, 1 / 3) if label < 0 else 0.9 * np.eye(3)[label] + 0.1 / 3
        assert found[index] == pytest.approx(-(targets * np.log(probabilities[index])).sum(), rel=1e-5)


@pytest.mark.parametrize("weights", [None, np.array([1, 2, 3], np.float32)])
def test_a_step_is_that_of_keras_with_the_same_targets(weights, pool):
    entry = params.Model(optimizer={"SGD": {"learning_rate": 0.1}}, layers=LAYERS, augment=SHARE)
    images, labels = outliers.reader(TRAINING, SHARE, pool, 0, 1)(np.arange(20)[np.newaxis])
    keras.utils.set_random_seed(0)
    ours = models.build("m", entry, 3)
    start = ours.get_weights()
    optimizer = models.optimizer("m", entry)
    loop.train_state(ours, optimizer)
    total, correct, finite = loop.make_train_step(ours, optimizer, 0.1, weights, 0.4)(images, labels)
    theirs = models.build("m", entry, 3)
    theirs.set_weights(start)
    targets = np.where(labels[0][:, None] < 0, 1 / 3, 0.9 * np.eye(3)[labels[0]] + 0.1 / 3)
    factors = np.ones(25) if weights is None else np.where(labels[0] < 0, 1, weights[labels[0]])
    factors *= 25 * np.where(labels[0] < 0, 0.4 / 5, 1 / 20)  # Keras divides the sum by 25
    known = theirs(images[0]).numpy()[:20].argmax(axis=1) == labels[0][:20]
    theirs.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", run_eagerly=True)
    loss = theirs.train_on_batch(images[0], targets, sample_weight=factors)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)
    assert total == pytest.approx(20 * loss, rel=1e-5)  # once per image, not per outlier
    assert (correct, finite) == (known.sum(), 1)
