"""Train a network, bit-identically in every run."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import keras
import numpy as np
import tensorflow as tf

from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.params import Augment, Train
from cifar10.training import augmentation, dense, models
from cifar10.training.probabilities import cross_entropy, normalize

STEPS_PER_CALL = 50  # gradient steps between two updates of the progress bar


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


def shuffled_batches(images: int, batch_size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Shuffle the images of an epoch and yield their indices, several batches at a time.

    The order depends on (seed, epoch) only, so an epoch can be repeated without the earlier ones.

    Yields:
        int32 (steps, batch size): up to STEPS_PER_CALL full batches; a smaller last batch comes alone.
    """
    indices = np.random.default_rng([seed, epoch]).permutation(images).astype(np.int32)
    full = images // batch_size
    batches = indices[: full * batch_size].reshape(full, batch_size)
    for start in range(0, full, STEPS_PER_CALL):
        yield batches[start : start + STEPS_PER_CALL]
    if images % batch_size:
        yield indices[None, full * batch_size :]


def batch_loss(scores: tf.Tensor, labels: tf.Tensor, sigmoid: bool) -> tf.Tensor:
    """Compute -log p of the true class, with p_k = s_k / sum(s).

    The scores of a softmax layer already sum to 1; Keras' function computes their loss from the logits, which
    is numerically safer. For a sigmoid layer, Keras' function would use the softmax of the logits, which is
    another loss. Its scores are therefore normalised here.

    Args:
        scores: float32 (N, K), the output of a softmax or a sigmoid layer.
        labels: int32 (N,).
        sigmoid: whether the layer is a sigmoid.

    Returns:
        float32 (N,), in nats; p is clipped at 1e-7.
    """
    if not sigmoid:
        return keras.losses.sparse_categorical_crossentropy(labels, scores)
    probabilities = scores / tf.reduce_sum(scores, axis=-1, keepdims=True)
    return -_log(tf.clip_by_value(tf.gather(probabilities, labels, batch_dims=1), 1e-7, 1.0))


@tf.custom_gradient
def _log(values: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Compute the logarithm; its gradient divides.

    TensorFlow's own gradient multiplies by a reciprocal. The reciprocal starts from an estimate
    (RCPPS), which differs between Intel and AMD.
    """
    return tf.math.log(values), lambda upstream: upstream / values


def make_train_step(
    model: keras.Model, optimizer: keras.optimizers.Optimizer
) -> Callable[[np.ndarray, np.ndarray], tuple[float, int]]:
    """Compile a function that does several gradient steps.

    Args:
        model: from `models.build`.
        optimizer: from `models.optimizer`, built.

    Returns:
        A function of uint8 (steps, batch size, 32, 32, 3) images and int (steps, batch size) labels. It does
        the steps and returns the sum of the losses and the number of correct answers.
    """
    dense.accelerate(model)
    variables = [variable.value for variable in model.trainable_variables]
    sigmoid = models.output_activation(model) == "sigmoid"

    def step(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            scores = model(images, training=True)
            loss = tf.add_n([tf.reduce_mean(batch_loss(scores, labels, sigmoid)), *model.losses])
            scaled = optimizer.scale_loss(loss)  # the same, unless the optimizer has a loss_scale_factor
        optimizer.apply(tape.gradient(scaled, variables), model.trainable_variables)
        correct = tf.argmax(scores, axis=-1, output_type=tf.int32) == labels
        return loss * tf.cast(tf.size(labels), tf.float32), tf.reduce_sum(tf.cast(correct, tf.int32))

    signature = [
        tf.TensorSpec((None, None, *models.INPUT_SHAPE), tf.uint8),
        tf.TensorSpec((None, None), tf.int32),
    ]

    @tf.function(input_signature=signature, autograph=False)  # to convert the code would take 0.2 s
    def steps(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def add(index: tf.Tensor, loss_sum: tf.Tensor, correct_sum: tf.Tensor) -> tuple[tf.Tensor, ...]:
            loss, correct = step(images[index], labels[index])
            return index + 1, loss_sum + loss, correct_sum + correct

        number, start = tf.shape(labels)[0], (tf.constant(0), tf.constant(0.0), tf.constant(0))
        _, loss_sum, correct_sum = tf.while_loop(lambda index, *_: index < number, add, start)
        return loss_sum, correct_sum

    def run(images: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
        loss_sum, correct_sum = steps(tf.constant(images), tf.constant(labels, tf.int32))
        return float(loss_sum), int(correct_sum)

    return run


def train_state(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """List all variables of a training: weights, random generators, the optimizer's moments and step."""
    optimizer.build(model.trainable_variables)
    return [*model.variables, *optimizer.variables]


def train(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    training: Split,
    validation: Split,
    settings: Train,
    seed: int,
    first_epoch: int,
    progress: Callable[[int, float, float], None],
    augment: Augment | None = None,
) -> Iterator[Epoch]:
    """Train `model` in place. Only `train_state` carries over from one epoch to the next.

    Args:
        model: from `models.build`.
        optimizer: from `models.optimizer`, built.
        training: training images.
        validation: validation images; may be empty.
        settings: epochs, batch size.
        seed: of the order of the images.
        first_epoch: 1, or later if `train_state` was restored.
        progress: called after every few steps with their number and the mean loss and accuracy of the epoch
            so far.
        augment: augmentation of the training images.

    Yields:
        One row of the history per epoch. With `use_ema`, the weights become their averages after the last
        row, as in Keras' `fit`.

    Raises:
        UserError: the loss is not finite, for example because the learning rate is too large.
    """
    run, predict = make_train_step(model, optimizer), models.predictor(model)
    for epoch in range(first_epoch, settings.epochs + 1):
        loss_sum, correct_sum, seen = 0.0, 0, 0
        read = augmentation.reader(training.images, augment, seed, epoch)
        for batches in shuffled_batches(len(training.labels), settings.batch_size, seed, epoch):
            # copies only these images from the page cache, which all processes share
            loss, correct = run(read(batches), training.labels[batches])
            loss_sum, correct_sum, seen = loss_sum + loss, correct_sum + correct, seen + batches.size
            if not np.isfinite(loss_sum):
                raise UserError(
                    f"{model.name}: the loss of epoch {epoch} is {loss_sum}: try a smaller learning_rate"
                )
            progress(len(batches), loss_sum / seen, correct_sum / seen)
        yield Epoch(epoch, loss_sum / seen, correct_sum / seen, *_validate(predict, validation))
    optimizer.finalize_variable_values(model.trainable_variables)  # the averages, with `use_ema`


def _validate(
    predict: Callable[[np.ndarray], list[np.ndarray]], validation: Split
) -> tuple[float | None, float | None]:
    if not len(validation.labels):
        return None, None
    (scores,) = predict(validation.images)
    probabilities = normalize(scores)
    accuracy = (probabilities.argmax(axis=1) == validation.labels).mean()
    return cross_entropy(probabilities, validation.labels), float(accuracy)
