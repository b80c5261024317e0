"""Check in seconds, before a long run, that models of params.yaml can learn: each trains on one batch.

A model with a fitting loss, learning rate and layers soon knows the images of one batch by heart. A learning
rate that is too low or too high, or a layer that loses the images, shows in a batch that is not learnt.
A learning-rate schedule is compressed to the steps of the check. The script writes no file.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, params
from cifar10.data import dataset, sources
from cifar10.errors import UserError
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np

BATCH = 32  # images at most
STEPS = 600  # at most
STEPS_PER_LOOK = 10
SHARE = 0.95  # of correct answers in training, where dropout and augmentation prevent 1


@dataclass(frozen=True)
class Outcome:
    """How far a model got: steps, mean loss of the first and the last of them, share of correct answers."""

    steps: int
    first_loss: float
    last_loss: float
    accuracy: float
    learnt: bool


def main() -> None:
    """Read the command line, check the models and exit with 1 if one does not learn."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument(
        "models", nargs="*", help="names of entries under `models` in params.yaml; all if none"
    )
    names, chosen = parser.parse_args().models, params.load()
    for name in names:
        chosen.model(name)
    images, labels, class_names = batch()
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models

        models.make_deterministic(chosen.train.seeds[0])
    failed = [name for name in names or chosen.models if not tell(name, chosen, images, labels, class_names)]
    if failed:
        sys.exit(1)


def batch() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return some training images, their labels and the class names; digits if there are no images yet."""
    try:
        split, class_names = dataset.load("train"), dataset.class_names()
        images, labels = split.images, split.labels
    except UserError:
        print("No images yet (`dvc repro preprocess` makes them): handwritten digits.")
        digits = sources.digits()
        images, labels, class_names = digits.train_images, digits.train_labels, digits.class_names
    drawn = np.random.default_rng(0).permutation(len(labels))[:BATCH]
    return images[drawn], labels[drawn], class_names


def tell(
    name: str, chosen: params.Params, images: np.ndarray, labels: np.ndarray, class_names: list[str]
) -> bool:
    """Check a model and print the outcome; return whether it has learnt the images."""
    started = time.monotonic()
    found = learn(name, chosen, images, labels, class_names)
    took = f"{found.steps} steps, {time.monotonic() - started:.1f} s"
    loss = f"loss {found.first_loss:.3g} to {found.last_loss:.3g}, {100 * found.accuracy:.0f} % correct"
    if found.learnt:
        print(f"{name}: learns one batch ({took}: {loss})")
    elif not np.isfinite(found.last_loss):
        tried = "try a smaller learning_rate"
        print(f"error: {name}: the loss is {found.last_loss} after {took}: {tried}", file=sys.stderr)
    else:
        tried = f"try another learning_rate, and look at params.yaml: models.{name}"
        print(f"error: {name}: does not learn one batch ({took}: {loss}): {tried}", file=sys.stderr)
    return found.learnt


def learn(
    name: str, chosen: params.Params, images: np.ndarray, labels: np.ndarray, class_names: list[str]
) -> Outcome:
    """Train a new network on one batch until it is learnt, or for STEPS steps."""
    from cifar10.training import loop, models, prepared

    train = chosen.train_of(name)
    images, labels = images[: train.batch_size], labels[: train.batch_size]
    made: Any = prepared.prepare(name, chosen, labels, class_names, STEPS, images.shape[1:])
    run = loop.make_train_step(made.model, made.optimizer, train.label_smoothing, made.class_weights)
    predict, first, loss, accuracy = models.predictor(made.model), np.nan, np.nan, 0.0
    repeated = (
        np.repeat(images[None], STEPS_PER_LOOK, axis=0),
        np.repeat(labels[None], STEPS_PER_LOOK, axis=0),
    )
    for done in range(STEPS_PER_LOOK, STEPS + 1, STEPS_PER_LOOK):
        total, correct, finite = run(*repeated)
        loss, accuracy = total / repeated[1].size, correct / repeated[1].size
        first = loss if np.isnan(first) else first
        if not np.isfinite(loss):
            return Outcome(done - STEPS_PER_LOOK + finite + 1, first, loss, accuracy, False)
        (scores,) = predict(images)
        known = (scores.argmax(axis=1) == labels).mean()
        if known == 1 or accuracy >= SHARE:
            return Outcome(done, first, loss, max(known, accuracy), True)
    return Outcome(STEPS, first, loss, accuracy, False)


if __name__ == "__main__":
    errors.run(main)
