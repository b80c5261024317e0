"""Where an interrupted training goes on: weights, optimizer state and history after its last full epoch."""

import hashlib
import json
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cifar10 import files

LIBRARIES = ("keras", "numpy", "tensorflow")  # whose arithmetic is in the result


@dataclass(frozen=True)
class Checkpoint:
    """A file with the state of one training; `key` tells that training from every other."""

    path: Path
    key: str

    def save(self, history: list[dict[str, Any]], variables: Sequence[Any]) -> None:
        """Write the state after an epoch; until it is complete the one before it stays.

        Args:
            history: the rows so far.
            variables: Keras variables of the model and of its optimizer, in a fixed order.
        """
        arrays = {f"variable_{index}": variable.numpy() for index, variable in enumerate(variables)}
        with files.replacing(self.path) as beside:
            np.savez(beside, key=np.array(self.key), history=np.array(json.dumps(history)), **arrays)

    def load(self, variables: Sequence[Any]) -> list[dict[str, Any]]:
        """Put the saved state into the variables.

        Returns:
            The history up to it; empty, and the variables as they were, if there is no complete state of
            this very training.
        """
        try:
            with np.load(self.path, allow_pickle=False) as saved:
                if str(saved["key"]) != self.key:
                    return []
                history = json.loads(str(saved["history"]))
                arrays = [saved[f"variable_{index}"] for index in range(len(variables))]
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            return []
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        return history

    def remove(self) -> None:
        """Delete the file, once the training is finished."""
        self.path.unlink(missing_ok=True)


def key(settings: dict[str, Any], data: Sequence[Path]) -> str:
    """Identify a training by all that its result depends on.

    Args:
        settings: everything that params.yaml says of it.
        data: the files that it reads.

    Returns:
        SHA-256 as hex, over the settings, the bytes of the data, the code of this library that is loaded and
        the versions of the libraries that compute.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for library in LIBRARIES:
        digest.update(f"{library} {getattr(sys.modules.get(library), '__version__', None)}".encode())
    loaded = [str(sys.modules[name].__file__) for name in sorted(sys.modules) if name.startswith("cifar10.")]
    for path in [*data, *map(Path, loaded)]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
