"""Saliency maps as pictures in an answer of the API."""

from typing import Any

import numpy as np

from cifar10.app import png
from cifar10.evaluation import saliency


def content(class_name: str, picture: np.ndarray, values: np.ndarray | None) -> dict[str, Any]:
    """Return the fields of `schemas.Saliency`.

    Args:
        class_name: the class that the map explains.
        picture: uint8 (H, W, 3).
        values: uint8 map of any size; None if the model has none.
    """
    if values is None:
        return {"explains": class_name, "map": None, "overlay": None, "empty": None}
    grey = saliency.enlarged(values, picture.shape[:2])
    return {
        "explains": class_name,
        "map": png.data_url(grey),
        "overlay": png.data_url(saliency.overlay(picture, values)),
        "empty": not values.any(),
    }
