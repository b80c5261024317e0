"""Build the layers of one network in their order in params.yaml."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from cifar10 import image_size
from cifar10.errors import UserError
from cifar10.params import NUM_CLASSES
from cifar10.training import keras_config
from cifar10.training.keras_config import first_line

RESCALING = ("BatchNormalization", "GroupNormalization", "LayerNormalization", "Normalization", "Rescaling")


class LayerBuilder:
    """Builds layers.

    Attributes:
        rescaled: whether a layer built so far rescales the pixels.
    """

    def __init__(self, num_classes: int) -> None:
        self.rescaled = False
        self._num_classes = num_classes

    def build(self, kind: str, arguments: dict[str, Any], key: str) -> Any:
        """Build a layer; `num_classes` becomes the number of classes.

        Args:
            kind: class name in params.yaml.
            arguments: of the class, in params.yaml.
            key: position in params.yaml, for errors.

        Raises:
            UserError: as for `keras_config.layer`.
        """
        arguments = {k: self._num_classes if v == NUM_CLASSES else v for k, v in arguments.items()}
        layer = keras_config.layer(kind, arguments, key, self.rescaled)
        self.rescaled = self.rescaled or kind in RESCALING
        return layer


@contextlib.contextmanager
def connecting(key: str, layer: Any, shape: Sequence[int | None]) -> Iterator[None]:
    """Wrap the call that connects a layer to the layer before it.

    Args:
        key: position of the layer in params.yaml.
        layer: a Keras layer.
        shape: of the outputs of the layer before it.

    Raises:
        UserError: Keras or TensorFlow raise any exception; a wrong value can raise each kind.
    """
    try:
        yield
    except Exception as error:
        window: Any = getattr(layer, "pool_size", None) or getattr(layer, "kernel_size", ())
        places = shape[1:-1]
        if any(side and side < length for side, length in zip(places, window, strict=False)):
            raise UserError(
                f"{key}: its window of {image_size.described(window)} is larger than its input of "
                f"{image_size.described(places)}: leave layers out, or set a larger data.image_size"
            ) from None
        raise UserError(f"{key}: does not fit the layer before it: {first_line(error)}") from None
