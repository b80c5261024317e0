"""Compare the layers that an .h5 file was trained with, which it describes, with those of params.yaml.

Weights can fit by their shapes where the layers differ, as with another activation. The description is read
as text only; nothing is built from it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from cifar10 import image_size
from cifar10.errors import StaleError
from cifar10.names import shown

if TYPE_CHECKING:
    import keras

CONFIG = "model_config"  # attribute of an .h5 file, written by Keras
ADDED = 2  # layers before those of params.yaml: the input and its scaling
Described = tuple[Any, dict[str, Any], list[int]]
INPUT = "batch_shape"  # argument of the first layer
NOT_COMPARED = {"name", "dtype", "trainable"}  # names count layers


def check(model: "keras.Model", path: Path) -> None:
    """Compare the layers of a file with those of a model; a damaged file is left to the reader of weights.

    Raises:
        StaleError: they differ; the message names the first difference.
    """
    try:
        with h5py.File(path) as file:
            text = file.attrs.get(CONFIG)
    except (OSError, RuntimeError, KeyError, ValueError):
        return
    try:
        recorded = json.loads(text)["config"]["layers"]
        found = _described(recorded)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise _stale(path, model.name, "it does not describe its layers") from None
    ours = json.loads(model.to_json())["config"]["layers"]
    difference = _difference(found, _described(ours))
    if difference:
        raise _stale(path, model.name, shown(difference))


def _stale(path: Path, name: str, reason: str) -> StaleError:
    return StaleError(
        f"{path} was trained with other layers than {name} has in params.yaml ({reason}): "
        "run `dvc repro` to train it again, or restore the layers"
    )


def _described(layers: list[dict[str, Any]]) -> list[Described]:
    """Return class, arguments and the indices of the layers whose outputs a layer takes, for each layer."""
    index = {layer.get("name"): place for place, layer in enumerate(layers)}
    found = []
    for place, layer in enumerate(layers):
        before = [place - 1] if place else []  # in a chain
        connections = layer.get("inbound_nodes")
        inputs = before if connections is None else [index[name] for name in _sources(connections)]
        found.append((layer["class_name"], dict(layer["config"]), inputs))
    return found


def _sources(value: Any) -> Iterator[Any]:
    """Yield the names of layers in the description of a connection, in order."""
    if isinstance(value, dict):
        if "keras_history" in value:
            yield value["keras_history"][0]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _sources(inner)


def _difference(found: list[Described], expected: list[Described]) -> str:
    """Describe the first difference; the text is empty if there is none."""
    for index, (old, new) in enumerate(zip(found, expected, strict=False)):
        in_graph = str(new[1].get("name")).startswith(("layers.", "base."))  # the position in params.yaml
        where = new[1]["name"] if in_graph else f"layers.{index - ADDED}.{new[0]}"
        if old[0] != new[0]:
            return f"{where}: the file has {old[0]}"
        theirs, ours = old[1].get(INPUT), new[1].get(INPUT)
        if theirs and ours and theirs != ours:
            return f"images of {_pixels(ours)}, the file has {_pixels(theirs)}"
        for key in sorted(new[1].keys() & old[1].keys() - NOT_COMPARED):
            if _plain(old[1][key]) != _plain(new[1][key]):
                return f"{where}.{key}: {_text(new[1][key])}, the file has {_text(old[1][key])}"
        if old[2] != new[2]:
            return f"{where}: the file connects it to other layers"
    if len(found) != len(expected):
        return f"{len(expected) - ADDED} layers, the file has {len(found) - ADDED}"
    return ""


def _pixels(shape: list[Any]) -> str:
    return f"{image_size.described(shape[1:])} pixels"


def _plain(value: Any) -> Any:
    """Reduce a value to what all versions of Keras write."""
    if isinstance(value, dict):
        if "class_name" in value and "config" in value:
            return [value["class_name"], _plain(value["config"])]
        return {key: _plain(inner) for key, inner in value.items() if key not in NOT_COMPARED}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    plain = value["class_name"] if isinstance(value, dict) and "class_name" in value else value
    return str(plain)[:60]
