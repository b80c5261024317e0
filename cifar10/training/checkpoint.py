"""Where an interrupted training goes on: weights, optimizer state and history after its last full epoch."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cifar10 import arithmetic, files

LIBRARY = Path(__file__).resolve().parents[1]
CODE = ("arithmetic.py", "data/dataset.py", "training")  # of it, that a training depends on, as in dvc.yaml
UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Checkpoint:
    """A file with the state of one training.

    `key` tells that training from every other; `computed_with` is the arithmetic of this process, from
    `arithmetic.in_effect`. A state that another arithmetic computed is never gone on from.
    """

    path: Path
    key: str
    computed_with: dict[str, Any]

    def save(self, history: list[dict[str, Any]], variables: Sequence[Any]) -> None:
        """Write the state after an epoch; until it is complete the one before it stays.

        Args:
            history: the rows so far.
            variables: Keras variables of the model and of its optimizer, in a fixed order.
        """
        arrays = {f"variable_{index}": variable.numpy() for index, variable in enumerate(variables)}
        with files.replacing(self.path) as beside:
            texts = {"key": self.key, "computed_with": self._arithmetic(), "history": json.dumps(history)}
            arrays |= {name: np.array(text) for name, text in texts.items()}
            np.savez(beside, allow_pickle=False, **arrays)

    def load(self, variables: Sequence[Any]) -> list[dict[str, Any]]:
        """Put the saved state into the variables.

        Returns:
            The history up to it; empty, and the variables as they were, if there is no complete state of
            this very training.
        """
        try:
            with np.load(self.path, allow_pickle=False) as saved:
                if (str(saved["key"]), str(saved["computed_with"])) != (self.key, self._arithmetic()):
                    return []
                history = json.loads(str(saved["history"]))
                arrays = [saved[f"variable_{index}"] for index in range(len(variables))]
        except UNREADABLE:
            return []
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        return history

    def refusal(self) -> str | None:
        """Say why `load` does not use the file, None if there is none."""
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
        """Delete the file, once the training is finished."""
        self.path.unlink(missing_ok=True)


def key(settings: dict[str, Any], inputs: Sequence[Path]) -> str:
    """Identify a training by all that its result depends on.

    Args:
        settings: everything that params.yaml says of it.
        inputs: the data that it reads, and the script that runs it.

    Returns:
        SHA-256 as hex, over the settings and the bytes of the inputs and of CODE.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    folders = [LIBRARY / name for name in CODE]
    code = [file for path in folders for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    for path in [*inputs, *code]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
