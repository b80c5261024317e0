"""The base of a model: layers, weights, and what of it is trained."""

from typing import Any

import keras

from cifar10.base_options import IMAGENET, Base
from cifar10.errors import UserError
from cifar10.training.backbones import applications, efficientnet_lite
from cifar10.training.backbones.efficientnet_lite import PREFIX

LITE = "EfficientNetLite0"
FEATURES = f"{PREFIX}features"  # name of the last layer


def connect(option: Base, scaled: Any, key: str) -> Any:
    """Connect the layers of a base.

    Args:
        option: of params.yaml.
        scaled: Keras tensor (N, H, W, 3), the pixels from 0 to 1.
        key: position in params.yaml, for errors.

    Returns:
        Keras tensor (N, D): the means of the last feature maps over the picture.

    Raises:
        UserError: there is no such network, or it cannot be used here; the message names the key.
    """
    size = option.image_size
    smaller = max(scaled.shape[1:3]) > size  # of several pixels, the mean
    resizing = keras.layers.Resizing(size, size, antialias=smaller, name=f"{PREFIX}resizing")
    pixels = resizing(scaled)
    if option.name == LITE:
        maps = efficientnet_lite.connect(pixels)
    else:
        maps = applications.connect(option.name, pixels, key)
    return keras.layers.GlobalAveragePooling2D(name=FEATURES)(maps)


def layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of the base; none without a base."""
    return [layer for layer in model.layers if layer.name.startswith(PREFIX)]


def freeze(model: keras.Model, train: str) -> None:
    """Freeze the layers of the base that `train` does not name.

    The batch normalisation of a frozen layer uses its moving statistics in a training as well.

    Args:
        model: with a base.
        train: `none`; `last_blocks`: the layers whose outputs have the size of the last ones with weights;
            or `all`.
    """
    found = layers(model)
    last = next(layer for layer in found[::-1] if layer.weights).output.shape[1:-1]
    kept = next(index for index, layer in enumerate(found) if layer.output.shape[1:-1] == last)
    for index, layer in enumerate(found):
        chosen = train == "all" or (train == "last_blocks" and index >= kept)
        layer.trainable = chosen and layer.name != applications.SWAP


def load_weights(model: keras.Model, option: Base, key: str) -> None:
    """Give the base its pretrained weights, if it has any.

    Args:
        model: with the base.
        option: of params.yaml.
        key: of the base in params.yaml, for errors.

    Raises:
        UserError: the weights are not there, or not those that the option says.
    """
    where = f"{key}.weights"
    if option.name != LITE:
        applications.load_weights(layers(model), option, where)
    elif option.weights == IMAGENET:
        efficientnet_lite.load_weights(model, where)
    elif option.weights is not None:
        raise UserError(f"{where}: got {option.weights!r:.100}, expected imagenet or null for {LITE}")
