"""Train a network, bit-identically in every run."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.errors import DivergedError
from cifar10.params import Augment, Train
from cifar10.training import (
    averages,
    dense,
    image_order,
    losses,
    mixed_precision,
    models,
    optimizers,
    outliers,
    selection,
)
from cifar10.training.probabilities import cross_entropy, normalize


@dataclass(frozen=True)
class Epoch:
    """One row of the history; losses in nats, accuracies from 0 to 1.

    Attributes:
        epoch: from 1.
        loss: mean over the epoch while the weights change, as Keras' `fit` reports it.
        accuracy: the same for accuracy.
        val_loss: with the weights at the end of the epoch; None without validation images.
        val_accuracy: the same for accuracy.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None

    def row(self) -> dict[str, float | None]:
        """Return the columns of the history file."""
        return asdict(self)

    def describe(self, epochs: int) -> str:
        """Describe the epoch in one line; `epochs` is the total."""
        text = f"epoch {self.epoch}/{epochs}: loss {self.loss:.4f}, accuracy {self.accuracy:.4f}"
        if self.val_loss is None:
            return text
        return f"{text}, validation loss {self.val_loss:.4f}, accuracy {self.val_accuracy:.4f}"


def make_train_step(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    smoothing: float = 0.0,
    class_weights: np.ndarray | None = None,
    outlier_weight: float | None = None,
    dtype: str = "float32",
) -> Callable[[np.ndarray, np.ndarray], tuple[float, int, int]]:
    """Compile a function that does several gradient steps.

    Args:
        model: from `models.build`.
        optimizer: from `models.optimizer`, built.
        smoothing: of the labels, for `losses.batch_loss`.
        class_weights: float32 (K,), factors of the losses of each class's images; None for equal weights.
        outlier_weight: w, if batches have outliers, whose label is -1. The loss of a step is the mean over
            images + w * the mean over outliers. The sum of the losses counts it once per image.
        dtype: policy of the layers, for `mixed_precision.computed_in`.

    Returns:
        A function of uint8 (steps, batch size, H, W, 3) images and int (steps, batch size) labels. It does
        the steps and returns the sum of the losses, the number of correct answers, and how many steps have
        a finite loss before the first that has not.
    """
    dense.accelerate(model)
    optimizers.keep_divisions(optimizer)
    variables = [variable.value for variable in model.trainable_variables]
    sigmoid = models.output_activation(model) == "sigmoid"
    factors = None if class_weights is None else tf.constant(class_weights, tf.float32)

    with_outliers = outlier_weight is not None

    def loss_of(scores: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        each = losses.batch_loss(scores, labels, sigmoid, smoothing, with_outliers)
        if factors is not None:
            weights = tf.gather(factors, tf.maximum(labels, 0) if with_outliers else labels)
            each *= tf.where(labels < 0, 1.0, weights) if with_outliers else weights
        if not with_outliers:
            return tf.reduce_mean(each)
        images_seen = tf.math.count_nonzero(labels >= 0, dtype=tf.int32)  # the outliers come after the images
        return tf.reduce_mean(each[:images_seen]) + outlier_weight * tf.reduce_mean(each[images_seen:])

    def step(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape, mixed_precision.computed_in(model, dtype):
            scores = model(images, training=True)
            loss = tf.add_n([loss_of(scores, labels), *model.losses])
            scaled = optimizer.scale_loss(loss)  # the same, unless the optimizer has a loss_scale_factor
        optimizer.apply(tape.gradient(scaled, variables), model.trainable_variables)
        correct = tf.argmax(scores, axis=-1, output_type=tf.int32) == labels
        images_seen = tf.math.count_nonzero(labels >= 0) if with_outliers else tf.size(labels)
        return loss * tf.cast(images_seen, tf.float32), tf.reduce_sum(tf.cast(correct, tf.int32))

    signature = [
        tf.TensorSpec((None, None, *model.inputs[0].shape[1:]), model.inputs[0].dtype),
        tf.TensorSpec((None, None), tf.int32),
    ]

    @tf.function(input_signature=signature, autograph=False)  # to convert the code would take 0.2 s
    def steps(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        def add(
            index: tf.Tensor, loss_sum: tf.Tensor, correct_sum: tf.Tensor, finite: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            loss, correct = step(images[index], labels[index])
            loss_sum, correct_sum = loss_sum + loss, correct_sum + correct
            return index + 1, loss_sum, correct_sum, finite + tf.cast(tf.math.is_finite(loss_sum), tf.int32)

        number, zero = tf.shape(labels)[0], tf.constant(0)
        start = (zero, tf.constant(0.0), zero, zero)
        _, *sums = tf.while_loop(lambda index, *_: index < number, add, start)
        return tuple(sums)

    def run(images: np.ndarray, labels: np.ndarray) -> tuple[float, int, int]:
        loss_sum, correct_sum, finite = steps(tf.constant(images), tf.constant(labels, tf.int32))
        return float(loss_sum), int(correct_sum), int(finite)

    return run


def train_state(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """List all variables of a training: weights, random generators, the optimizer's moments and step.

    Raises:
        UserError: `exclude_from_weight_decay` has a name that no weight has.
    """
    optimizers.apply_exclusions(optimizer, model.trainable_variables)
    optimizer.build(model.trainable_variables)
    return [*model.variables, *optimizer.variables]


def train(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    training: Split,
    validation: Split,
    settings: Train,
    seed: int,
    history: list[dict[str, Any]],
    progress: Callable[[int, float, float], None],
    augment: Augment | None = None,
    class_weights: np.ndarray | None = None,
    best: selection.BestWeights | None = None,
) -> Iterator[Epoch]:
    """Train `model` in place. Only `train_state`, `best` and `history` carry over from one epoch to the next.

    Args:
        model: from `models.build`.
        optimizer: from `models.optimizer`, built.
        training: training images.
        validation: validation images; may be empty.
        settings: epochs, batch size, label smoothing, early stopping.
        seed: of the order of the images.
        history: rows of the epochs before; not empty if `train_state` and `best` were restored.
        progress: called after every few steps with their number and the mean loss and accuracy of the epoch
            so far.
        augment: augmentation of the training images, and outliers.
        class_weights: as for `make_train_step`.
        best: for `settings.keep`; made here if it is None.

    Yields:
        One row of the history per epoch. With `use_ema`, its validation figures are those of the averaged
        weights. After the last row, the weights become those that `settings.keep` asks for.

    Raises:
        DivergedError: the loss is not finite, for example because the learning rate is too large.
    """
    pool = outliers.pool(training, augment, seed)
    weight = outliers.weight(augment)
    run = make_train_step(model, optimizer, settings.label_smoothing, class_weights, weight, settings.dtype)
    predict, rows = models.predictor(model), list(history)
    best = best or selection.BestWeights(model, settings.keep)
    averaged = (model, optimizer, training.images, settings.batch_size)
    count = len(training.labels)
    at_once = image_order.steps_per_call(settings.batch_size, training.images.shape[1:])
    for epoch in range(len(rows) + 1, settings.epochs + 1):
        if selection.is_stopped(rows, settings.early_stopping):
            break
        loss_sum, correct_sum, seen, done = 0.0, 0, 0, 0
        read = outliers.reader(training, augment, pool, seed, epoch)
        for batches in image_order.shuffled_batches(count, settings.batch_size, seed, epoch, at_once):
            # copies only these images from the page cache, which all processes share
            loss, correct, finite = run(*read(batches))
            dataset.release(training.images)
            loss_sum, correct_sum, seen = loss_sum + loss, correct_sum + correct, seen + batches.size
            if not np.isfinite(loss_sum):
                where = f"of epoch {epoch} is {loss_sum} from step {done + finite + 1} on"
                raise DivergedError(f"{model.name}: the loss {where}: try a smaller learning_rate")
            done += len(batches)
            progress(len(batches), loss_sum / seen, correct_sum / seen)
        with averages.used(*averaged):
            row = Epoch(epoch, loss_sum / seen, correct_sum / seen, *_validate(predict, validation))
            rows.append(row.row())
            best.offer(rows)
        yield row
    if not best.restore():
        averages.use(*averaged)


def _validate(
    predict: Callable[[np.ndarray], list[np.ndarray]], validation: Split
) -> tuple[float | None, float | None]:
    if not len(validation.labels):
        return None, None
    (scores,) = predict(validation.images)
    probabilities = normalize(scores)
    accuracy = (probabilities.argmax(axis=1) == validation.labels).mean()
    return cross_entropy(probabilities, validation.labels), float(accuracy)
