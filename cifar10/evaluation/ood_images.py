"""OOD images, for measuring a detector: the datasets and a portrait of a person."""

import numpy as np

from cifar10 import paths
from cifar10.data import dataset


def load() -> dict[str, np.ndarray]:
    """Load the OOD datasets: uint8 (N, 32, 32, 3) by dataset.

    Raises:
        UserError: their file does not exist.
    """
    try:
        with np.load(paths.OOD) as file:
            return dict(file)
    except FileNotFoundError as error:
        raise dataset.missing(error) from None


def person() -> np.ndarray | None:
    """Load the astronaut of scikit-image, a portrait: uint8 (32, 32, 3); None if it is left out.

    Raises:
        UserError: the file does not exist.
    """
    try:
        picture = np.load(paths.PERSON)
        return picture if picture.size else None
    except FileNotFoundError as error:
        raise dataset.missing(error) from None
