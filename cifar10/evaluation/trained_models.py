"""Trained models: load weights from an .h5 file, describe the file and the layers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from cifar10 import arithmetic, files
from cifar10.errors import UserError
from cifar10.evaluation import multiply_adds, recorded_layers
from cifar10.training import blocks
from cifar10.training.backbones import base
from cifar10.training.keras_config import first_line
from cifar10.training.models import ARITHMETIC

if TYPE_CHECKING:
    import keras


def load_weights(model: "keras.Model", path: Path) -> None:
    """Load the weights, and nothing else, from an .h5 file into a new model.

    Raises:
        UserError: the file is missing or damaged.
        OSError: the file cannot be read.
        StaleError: it was trained with other layers than those of the model.
    """
    if not path.exists():
        raise UserError(f"{path} not found: run `dvc pull {path}` to fetch it or `dvc repro` to train it")
    recorded_layers.check(model, path)
    try:
        model.load_weights(path)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        files.raise_system_error(error, path)
        raise UserError(
            f"{path} does not hold the weights of {model.name} as params.yaml defines it "
            f"({first_line(error)}): run `dvc repro` to train it again"
        ) from None


def facts(model: "keras.Model", path: Path) -> dict[str, Any]:
    """Describe a model and its .h5 file.

    Returns:
        parameters (count), bytes (file size), trained_on (arithmetic recorded in the file) and evaluated_on
        (arithmetic of this process), both from `arithmetic.describe`.
    """
    with h5py.File(path) as file:
        text = file.attrs.get(ARITHMETIC)
    return {
        "parameters": model.count_params(),
        "bytes": path.stat().st_size,
        "trained_on": arithmetic.describe(json.loads(text)) if text else "unknown",
        "evaluated_on": arithmetic.describe(arithmetic.in_effect()),
    }


def architecture(model: "keras.Model") -> list[dict[str, Any]]:
    """List the layers: class, output shape without the batch, number of parameters, multiply-adds.

    The multiply-adds are those of `multiply_adds.of_layer`.
    A layer in blocks has also `blocks`, their names from the outermost to the innermost. A base is one row.
    """
    based = base.layers(model)
    rows = [
        {
            "layer": type(layer).__name__,
            **({"blocks": around} if (around := blocks.place(layer.name)) else {}),
            "output": list(layer.output.shape[1:]),
            "parameters": int(layer.count_params()),
            "multiply_adds": multiply_adds.of_layer(layer),
        }
        for layer in blocks.in_order(model)
        if layer not in based
    ]
    if based:
        parameters = sum(int(layer.count_params()) for layer in based)
        output = list(based[-1].output.shape[1:])
        row: dict[str, Any] = {"layer": f"base, {len(based)} layers", "output": output}
        counts = [multiply_adds.of_layer(layer) for layer in based]
        counted = None if None in counts else sum(count or 0 for count in counts)
        row |= {"parameters": parameters, "multiply_adds": counted}
        rows.insert(1, row)  # after the scaling of the pixels
    return rows
