"""The size of the images that trained models take, from their .h5 files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py

from cifar10 import image_size
from cifar10.errors import UserError
from cifar10.evaluation.recorded_layers import CONFIG


def common(models: Iterable[Path]) -> tuple[int, int]:
    """Return height and width, in pixels, of the images of models that answer together.

    A missing or damaged file has no size; the reader of its weights says what is wrong with it.

    Raises:
        UserError: the sizes of the models differ.
    """
    sizes = {path: size for path in models if (size := read(path))}
    path, first = next(iter(sizes.items()), (None, image_size.CIFAR10))
    for other, size in sizes.items():
        if size != first:
            raise UserError(
                f"{path} takes images of {image_size.described(first)} pixels, {other} of "
                f"{image_size.described(size)}: run `dvc repro`"
            )
    return first


def read(path: Path) -> tuple[int, int] | None:
    """Return height and width of the input of one model; None if its file does not say it."""
    try:
        with h5py.File(path) as file:
            layers: list[Any] = json.loads(file.attrs[CONFIG])["config"]["layers"]
        _, height, width, _ = layers[0]["config"]["batch_shape"]
        return image_size.parse([height, width])
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return None
