"""Train the layers after a frozen base on features of the images, which are computed once.

The features of a split lie in a file beside the checkpoints. They depend on the images, the base, the code
of the training and the arithmetic, which its name holds as one hash: trainings with other seeds, layers or
settings share them. Whoever deletes the file loses the time to compute it again.
"""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cifar10 import arithmetic, files, locks, paths, progress
from cifar10.base_options import Base
from cifar10.data.dataset import Split
from cifar10.training import checkpoint, devices, models
from cifar10.training.backbones.base import FEATURES
from cifar10.training.backbones.efficientnet_lite import PREFIX

DIGITS = 32  # of the hash
AT_ONCE = 1024  # images
DAY = 86_400.0  # seconds


def head(model: keras.Model) -> keras.Model:
    """Return the network after the base: float32 (N, D) features to (N, K) scores, with the same weights."""
    return keras.Model(model.get_layer(FEATURES).output, model.output, name=model.name)


def with_features(model: keras.Model, option: Base, split: Split) -> Split:
    """Replace the images of a split by their features, float32 (N, D), read-only and memory-mapped.

    Args:
        model: with its base and the weights of the base.
        option: the base in params.yaml.
        split: with images.
    """
    if not len(split.labels):
        return Split(np.zeros((0, model.get_layer(FEATURES).output.shape[1]), np.float32), split.labels)
    path = paths.features(_key(model, option, split.images))
    busy = f"{model.name}: {{process}} has computed the features of the images for a day"
    with locks.held(paths.lock(path.stem), busy, wait=DAY):
        found = _open(path, len(split.labels))
        if found is None:
            progress.log(f"{model.name}: computing the features of {len(split.labels):,} images")
            _write(model, split.images, path)
            found = np.load(path, mmap_mode="r")
    return Split(found, split.labels)


def _key(model: keras.Model, option: Base, images: np.ndarray) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(images), AT_ONCE):
        digest.update(images[start : start + AT_ONCE].tobytes())
    weights = hashlib.sha256()
    for layer in model.layers:
        for value in layer.get_weights() if layer.name.startswith(PREFIX) else ():
            weights.update(value.tobytes())
    settings: dict[str, Any] = {
        "base": option.model_dump(exclude={"train"}),
        "weights": weights.hexdigest(),
        "images": [digest.hexdigest(), *map(int, images.shape)],
        "computed_with": {**arithmetic.in_effect(), **devices.in_effect()},
    }
    return checkpoint.key(settings, [])[:DIGITS]


def _open(path: Path, count: int) -> np.ndarray | None:
    try:
        found = np.load(path, mmap_mode="r")
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError) as error:
        files.raise_system_error(error, path)
        return None  # damaged
    return found if len(found) == count else None


def _write(model: keras.Model, images: np.ndarray, path: Path) -> None:
    features = model.get_layer(FEATURES).output
    predict = models.predictor(keras.Model(model.inputs, features))
    shown = {"total": len(images), "desc": f"{model.name}: features", "unit": " images"}
    with files.replacing(path) as beside, progress.bar(**shown) as bar:
        array = np.lib.format.open_memmap(beside, "w+", np.float32, (len(images), features.shape[1]))
        for start in range(0, len(images), AT_ONCE):
            some = images[start : start + AT_ONCE]
            (array[start : start + len(some)],) = predict(some)
            bar.update(len(some))
        array.flush()
        del array
