"""The networks of `keras.applications` as a base, with weights from an .h5 file."""

import difflib
import hashlib
import re
import types
from typing import Any

import keras
import numpy as np

from cifar10 import files
from cifar10.base_options import IMAGENET, Base
from cifar10.errors import UserError
from cifar10.training.backbones.efficientnet_lite import PREFIX
from cifar10.training.keras_config import first_line

SWAP = f"{PREFIX}bgr"  # name of the layer that exchanges red and blue
ALLOWED = {value for value in vars(keras.layers).values() if isinstance(value, type)}  # in an .h5 file


def connect(name: str, pixels: Any, key: str) -> Any:
    """Connect the layers of a network, without its classifier.

    Args:
        name: of the network.
        pixels: Keras tensor (N, S, S, 3) from 0 to 1; S is `image_size`.
        key: position in params.yaml, for errors.

    Returns:
        Keras tensor (N, h, w, D), its last feature maps.

    Raises:
        UserError: there is no such network, or it does not fit the size of the pictures, or no .h5 file can
            hold it.
    """
    known = networks()
    if name not in known:
        near = ", ".join(difflib.get_close_matches(name, known, n=3)) or "MobileNetV2"
        raise UserError(
            f"{key}: unknown network, expected EfficientNetLite0 or one of keras.applications such as {near}"
        )
    if (size := pixels.shape[1]) < (least := smallest(name)):
        raise UserError(f"{key}.image_size: got {size}, expected at least {least} for {name}")
    inputs = _preprocessed(known[name], pixels)
    ours = {id(layer) for layer in keras.Model(keras.utils.get_source_inputs(inputs), inputs).layers}
    try:
        network = getattr(known[name], name)(include_top=False, weights=None, input_tensor=inputs)
    except (ValueError, TypeError) as error:
        raise UserError(f"{key}: {first_line(error)}") from None
    if other := {type(each).__name__ for each in network.operations if type(each) not in ALLOWED}:
        raise UserError(f"{key}: is not available here: no .h5 file can hold its {', '.join(sorted(other))}")
    for layer in network.layers:
        if id(layer) not in ours and not layer.name.startswith(PREFIX):
            layer.name = f"{PREFIX}{layer.name}"
    return network.output


def networks() -> dict[str, types.ModuleType]:
    """Return the module of each network, by name."""
    modules = [
        module
        for module in vars(keras.applications).values()
        if isinstance(module, types.ModuleType) and hasattr(module, "preprocess_input")
    ]
    return {name: module for module in modules for name in vars(module) if name[0].isupper()}


def smallest(name: str) -> int:
    """Return the smallest side of the pictures of a network, in pixels; Keras names it in an error only."""
    try:
        getattr(networks()[name], name)(include_top=False, weights=None, input_shape=(1, 1, 3))
    except ValueError as error:
        if found := re.search(r"at least (\d+)x", str(error)):
            return int(found[1])
    return 1


def _preprocessed(module: types.ModuleType, pixels: Any) -> Any:
    """Connect what `preprocess_input` of the network does: a linear function of each channel.

    Networks whose weights come from Caffe take the channels in the order blue, green, red.
    """
    zero = module.preprocess_input(np.zeros((1, 1, 1, 3), np.float32)).ravel()
    steps = module.preprocess_input(np.array([[[[1, 2, 3]]]], np.float32)).ravel() - zero
    swapped = bool(steps[0] > steps[2])
    if swapped:
        zero, steps = zero[::-1], steps[::-1]
    scale = (steps / np.array([1, 2, 3], np.float32)).astype(np.float64) * 255
    rescaling = keras.layers.Rescaling(
        scale.round(6).tolist(), zero.astype(float).round(6).tolist(), name=f"{PREFIX}scaling"
    )
    if not swapped:
        return rescaling(pixels)
    return keras.layers.Conv2D(3, 1, use_bias=False, name=SWAP)(rescaling(pixels))


def load_weights(found: list[keras.layers.Layer], option: Base, key: str) -> None:
    """Give the layers of a network the weights of an .h5 file of the network without its classifier.

    Args:
        found: the layers of the base.
        option: of params.yaml.
        key: of the weights in params.yaml, for errors.

    Raises:
        UserError: the file is missing, has another SHA-256, or holds the weights of another network.
    """
    for layer in found:
        if layer.name == SWAP:
            layer.set_weights([np.eye(3, dtype=np.float32)[::-1].reshape(1, 1, 3, 3)])
    if option.weights == IMAGENET:
        raise UserError(
            f"{key}: got imagenet, expected the path or address of an .h5 file, or null: only "
            f"EfficientNetLite0 has a package of weights. Name the file of {option.name} without its "
            "classifier (`notop`)"
        )
    if (path := option.file) is None:
        return
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        if option.address is None:
            raise UserError(f"{key}: {path} not found; expected an .h5 file: correct the path") from None
        raise UserError(
            f"{key}: {option.address} has not been downloaded: `make repro` does it, and so does "
            "`dvc repro --force --single-item download`"
        ) from None
    except OSError as error:
        raise UserError(f"{key}: {path} cannot be read: {error.strerror}") from None
    if digest != option.sha256:
        raise UserError(f"{key}: {path} has the SHA-256 {digest}, expected sha256, {option.sha256}")
    size = option.image_size
    network = getattr(networks()[option.name], option.name)(
        include_top=False, weights=None, input_shape=(size, size, 3)
    )
    try:
        network.load_weights(path)
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        files.raise_system_error(error, path)
        raise UserError(
            f"{key}: {path} does not hold the weights of {option.name} without its classifier "
            f"({first_line(error)})"
        ) from None
    sources = [layer for layer in network.layers if layer.weights]
    targets = [layer for layer in found if layer.weights and layer.name != SWAP]
    for source, target in zip(sources, targets, strict=True):
        target.set_weights(source.get_weights())
