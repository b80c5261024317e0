"""The order of the images in an epoch, and their batches."""

import math
from collections.abc import Iterator

import numpy as np

STEPS_PER_CALL = 50  # gradient steps between two updates of the progress bar
BYTES_PER_CALL = 100_000_000  # of images; of large images there are fewer steps


def steps_per_call(batch_size: int, shape: tuple[int, ...]) -> int:
    """Return the number of gradient steps between two updates of the progress bar.

    Args:
        batch_size: images per step.
        shape: of an image.
    """
    return max(1, min(STEPS_PER_CALL, BYTES_PER_CALL // (batch_size * math.prod(shape))))


def shuffled_batches(
    images: int, batch_size: int, seed: int, epoch: int, at_once: int = STEPS_PER_CALL
) -> Iterator[np.ndarray]:
    """Shuffle the images of an epoch and yield their indices, several batches at a time.

    The order depends on (seed, epoch) only, so an epoch can be repeated without the earlier ones.

    Yields:
        int32 (steps, batch size): up to `at_once` full batches; a smaller last batch comes alone.
    """
    indices = np.random.default_rng([seed, epoch]).permutation(images).astype(np.int32)
    full = images // batch_size
    batches = indices[: full * batch_size].reshape(full, batch_size)
    for start in range(0, full, at_once):
        yield batches[start : start + at_once]
    if images % batch_size:
        yield indices[None, full * batch_size :]
