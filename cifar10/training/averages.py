"""Averaged weights: the exponential moving average that an optimizer keeps with `use_ema`."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np

from cifar10.training import batch_norm


def use(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, images: np.ndarray, batch_size: int
) -> None:
    """Give the model the averaged weights, with `use_ema`; the statistics of batch normalisation are renewed.

    The moving statistics belong to the weights of the last steps. They are computed anew with one pass over
    the training images, as the means over batches in a fixed order.

    Args:
        model: from `models.build`.
        optimizer: from `models.optimizer`, built.
        images: uint8 (N, 32, 32, 3), the training images.
        batch_size: images per batch; a smaller last batch is left out if it is not the only one.
    """
    if not optimizer.use_ema:
        return
    optimizer.finalize_variable_values(model.trainable_variables)
    order = np.random.default_rng(0).permutation(len(images))  # images of a folder are sorted by class
    full = max(1, len(images) // batch_size) * batch_size
    batches = (order[start : start + batch_size] for start in range(0, full, batch_size))
    batch_norm.renew_statistics(model, (images[batch] for batch in batches))


@contextlib.contextmanager
def used(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, images: np.ndarray, batch_size: int
) -> Iterator[None]:
    """Give the model the averaged weights within the `with` block, as `use` does."""
    before = [variable.numpy() for variable in model.variables] if optimizer.use_ema else []
    use(model, optimizer, images, batch_size)
    try:
        yield
    finally:
        for variable, value in zip(model.variables[: len(before)], before, strict=True):
            variable.assign(value)
