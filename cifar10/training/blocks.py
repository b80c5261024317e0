"""Blocks in the layers of params.yaml, `Residual` and `Repeat`: a graph of Keras' own layers.

He et al., Deep Residual Learning for Image Recognition, CVPR 2016: a residual block adds its input, or a
projection of it, to the output of its layers.
"""

import itertools
from typing import Any

import keras

from cifar10.errors import UserError
from cifar10.params import KerasObject, one_entry
from cifar10.training.layers import LayerBuilder, connecting

ARGUMENTS = {"Residual": ("layers", "shortcut"), "Repeat": ("times", "layers")}
DEEPEST = 10  # blocks in each other
MOST = 1000  # layers of a network, with all repetitions


def used(layers: list[KerasObject]) -> bool:
    """Tell whether there is a block among the layers."""
    return any(kind in ARGUMENTS for entry in layers for kind in entry)


def build(
    name: str, inputs: Any, scaled: Any, layers: list[KerasObject], num_classes: int, key: str
) -> keras.Model:
    """Build a network with blocks.

    A layer has its position in params.yaml as its name, such as `layers.2.Residual.layers.0.Conv2D`. After
    `Repeat` comes the number of the repetition, from 0. The addition of a residual block is named `sum`.

    Args:
        name: of the model.
        inputs: from `keras.Input`.
        scaled: the input of the first of `layers`.
        layers: of params.yaml.
        num_classes: number of classes.
        key: of the model in params.yaml, for errors.

    Raises:
        UserError: an argument or a shape does not fit; the message names the key.
    """
    outputs = _Graph(num_classes).chain(scaled, layers, f"{key}.layers", "layers", 0)
    return keras.Model(inputs, outputs, name=name)


def place(name: str) -> list[str]:
    """Return the blocks around a layer, the outermost first: `Residual`, `shortcut`, `Repeat 1`."""
    parts = name.split(".")[:-1]
    found = [part for part in parts if part in (*ARGUMENTS, "shortcut")]
    times = iter(int(after) + 1 for part, after in itertools.pairwise(parts) if part == "Repeat")
    return [f"{part} {next(times)}" if part == "Repeat" else part for part in found]


def in_order(model: keras.Model) -> list[Any]:
    """List the layers in the order of params.yaml, without the input. Keras lists both branches mixed."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    first = [layer for layer in layers if not layer.name.startswith("layers.")]
    return first + sorted((layer for layer in layers if layer not in first), key=_position)


def _position(layer: Any) -> list[Any]:
    return [int(part) if part.isdecimal() else part for part in layer.name.split(".")]


class _Graph:
    """Connects layers and blocks, and counts the layers."""

    def __init__(self, num_classes: int) -> None:
        self._builder = LayerBuilder(num_classes)
        self._count = 0

    def chain(self, tensor: Any, layers: Any, key: str, name: str, depth: int) -> Any:
        """Connect a list of layers and blocks one after the other; return the output."""
        if not isinstance(layers, list) or not layers:
            raise UserError(f"{key}: got {layers!r:.100}, expected a list of layers, at least one")
        if depth > DEEPEST:
            raise UserError(f"{key}: expected at most {DEEPEST} blocks in each other, found more")
        for index, entry in enumerate(layers):
            kind, arguments = _parsed(entry, f"{key}.{index}")
            where, own = f"{key}.{index}.{kind}", f"{name}.{index}.{kind}"
            match kind:
                case "Residual":
                    tensor = self._residual(tensor, arguments, where, own, depth + 1)
                case "Repeat":
                    tensor = self._repeat(tensor, arguments, where, own, depth + 1)
                case _:
                    tensor = self._layer(tensor, kind, arguments, where, own)
        return tensor

    def _layer(self, tensor: Any, kind: str, arguments: dict[str, Any], key: str, name: str) -> Any:
        self._count += 1
        if self._count > MOST:
            raise UserError(f"{key}: expected at most {MOST} layers with all repetitions, found more")
        if "name" in arguments:
            raise UserError(f"{key}.name: not available with blocks, where the position is the name")
        layer = self._builder.build(kind, {**arguments, "name": name}, key)
        with connecting(key, layer, tensor.shape):
            return layer(tensor)

    def _repeat(self, tensor: Any, arguments: dict[str, Any], key: str, name: str, depth: int) -> Any:
        _check_names("Repeat", arguments, key)
        times = arguments.get("times")
        if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST:
            raise UserError(f"{key}.times: got {times!r:.100}, expected a whole number from 1 to {MOST}")
        for index in range(times):
            tensor = self.chain(
                tensor, arguments.get("layers"), f"{key}.layers", f"{name}.{index}.layers", depth
            )
        return tensor

    def _residual(self, tensor: Any, arguments: dict[str, Any], key: str, name: str, depth: int) -> Any:
        _check_names("Residual", arguments, key)
        before = self._builder.rescaled
        outputs = self.chain(tensor, arguments.get("layers"), f"{key}.layers", f"{name}.layers", depth)
        after, self._builder.rescaled = self._builder.rescaled, before
        shortcut = tensor
        if "shortcut" in arguments:
            shortcut = self.chain(tensor, arguments["shortcut"], f"{key}.shortcut", f"{name}.shortcut", depth)
        self._builder.rescaled = self._builder.rescaled or after
        if outputs.shape != shortcut.shape:
            raise UserError(
                f"{key}: cannot add shapes: layers give {tuple(outputs.shape[1:])}, "
                f"{'shortcut gives' if 'shortcut' in arguments else 'the input has'} "
                f"{tuple(shortcut.shape[1:])}: use `padding: same`, and a shortcut with the same strides and "
                "filters where layers have them"
            )
        return keras.layers.Add(name=f"{name}.sum")([outputs, shortcut])


def _check_names(kind: str, arguments: dict[str, Any], key: str) -> None:
    for name in arguments:
        if name not in ARGUMENTS[kind]:
            raise UserError(
                f"{key}: unknown argument {name!r:.100}, expected one of {', '.join(ARGUMENTS[kind])}"
            )


def _parsed(entry: Any, key: str) -> tuple[str, dict[str, Any]]:
    """Return class name and arguments of an entry, which params.yaml checks at the top level only."""
    try:
        ((kind, arguments),) = one_entry(entry).items()
    except ValueError as error:
        raise UserError(f"{key}: got {entry!r:.100}, {error}") from None
    if not isinstance(kind, str) or not isinstance(arguments, dict):
        raise UserError(
            f"{key}: got {entry!r:.100}, expected a class with its arguments, as in `Dense: {{units: 10}}`"
        )
    return kind, arguments
