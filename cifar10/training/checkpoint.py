"""Checkpoints: weights, optimizer state and history after each epoch, to resume an interrupted training."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cifar10 import arithmetic, files, paths
from cifar10.params import Params

LIBRARY = Path(__file__).resolve().parents[1]
CODE = ("arithmetic.py", "data/dataset.py", "training")  # dependencies of a training, as in dvc.yaml
UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint file of one training.

    Attributes:
        path: the .npz file.
        key: from `key`; identifies the training.
        computed_with: the arithmetic of this process, from `arithmetic.in_effect`. A checkpoint from other
            arithmetic is not loaded.
    """

    path: Path
    key: str
    computed_with: dict[str, Any]

    def save(self, history: list[dict[str, Any]], variables: Sequence[Any]) -> None:
        """Write the state after an epoch. The previous file stays until the new one is complete.

        Args:
            history: rows so far.
            variables: Keras variables of the model and of its optimizer, in a fixed order.
        """
        arrays = {f"variable_{index}": variable.numpy() for index, variable in enumerate(variables)}
        with files.replacing(self.path) as beside:
            texts = {"key": self.key, "computed_with": self._arithmetic(), "history": json.dumps(history)}
            arrays |= {name: np.array(text) for name, text in texts.items()}
            np.savez(beside, allow_pickle=False, **arrays)

    def load(self, variables: Sequence[Any]) -> list[dict[str, Any]]:
        """Assign the saved state to the variables.

        Returns:
            The history so far; empty, with unchanged variables, if there is no complete checkpoint of this
            training.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            with np.load(self.path, allow_pickle=False) as saved:
                if (str(saved["key"]), str(saved["computed_with"])) != (self.key, self._arithmetic()):
                    return []
                history = json.loads(str(saved["history"]))
                arrays = [saved[f"variable_{index}"] for index in range(len(variables))]
        except FileNotFoundError:
            return []
        except UNREADABLE as error:
            files.raise_system_error(error, self.path)
            return []
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        return history

    def refusal(self) -> str | None:
        """Return the reason why `load` ignores the file; None if there is no file."""
        try:
            with np.load(self.path, allow_pickle=False) as saved:
                key, theirs = str(saved["key"]), json.loads(str(saved["computed_with"]))
        except FileNotFoundError:
            return None
        except UNREADABLE:
            return "it is damaged"
        if theirs != self.computed_with:
            return arithmetic.difference(theirs, self.computed_with)
        return "it is damaged" if key == self.key else "parameters, images or code have changed since"

    def _arithmetic(self) -> str:
        return json.dumps(self.computed_with, sort_keys=True)

    def remove(self) -> None:
        """Delete the file after the training."""
        self.path.unlink(missing_ok=True)


def identity(name: str, seed: int, settings: Params, script: Path) -> str:
    """Identify the training of a model with a seed by its parameters, images and code.

    Args:
        name: of the model.
        seed: of the training.
        settings: params.yaml.
        script: of the stage.
    """
    train = settings.train_of(name).model_dump(exclude={"seeds"})
    model = settings.models[name].model_dump(exclude={"train"})
    chosen = {"name": name, "seed": seed, "model": model, "train": train}
    splits = [path(split) for split in ("train", "validation") for path in (paths.images, paths.labels)]
    return key(chosen, [script, paths.CLASSES, *splits])


def key(settings: dict[str, Any], inputs: Sequence[Path]) -> str:
    """Identify a training by everything its result depends on.

    Args:
        settings: its parameters.
        inputs: its data and its script.

    Returns:
        SHA-256, hexadecimal, of the settings, the inputs and CODE.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    folders = [LIBRARY / name for name in CODE]
    code = [file for path in folders for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    for path in [*inputs, *code]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
