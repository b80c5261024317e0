"""What a training reads: its images and its settings, checked against each other."""

import numpy as np

from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.params import Train


def load(name: str, settings: Train) -> tuple[Split, Split]:
    """Return the training and the validation images of a model's training.

    With `images`, the training images are a random part, the same for every model and seed, in order.

    Args:
        name: of the model.
        settings: of its trainings.

    Raises:
        UserError: there are fewer images than `images`, or no validation images where a setting needs them.
    """
    training, validation = dataset.load("train"), dataset.load("validation")
    available, wanted = len(training.labels), settings.images
    key = f"params.yaml: models.{name}.train (or train)"
    if wanted is not None and wanted > available:
        raise UserError(f"{key}: images: got {wanted}, expected at most {available}, the training images")
    for option, is_set in (("keep", settings.keep != "last"), ("early_stopping", settings.early_stopping)):
        if is_set and not len(validation.labels):
            raise UserError(
                f"{key}: {option}: needs validation images, found none: set data.validation_fraction, or "
                "leave it out"
            )
    if wanted is None:
        return training, validation
    drawn = np.sort(np.random.default_rng(0).permutation(available)[:wanted])
    return Split(training.images[drawn], training.labels[drawn]), validation
