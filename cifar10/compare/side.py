"""One side of a comparison: the data of a commit, or of the workspace, from git and DVC."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cifar10 import paths


@dataclass(frozen=True)
class Side:
    """A commit or the workspace.

    Attributes:
        label: name on the page: a branch, a tag, a short hash.
        commit: full hash; for the workspace, the hash of the commit that is checked out.
        uncommitted: whether this is the workspace.
        params: the content of params.yaml.
        stale: models whose code, parameters or results differ from dvc.lock.
        hashes: MD5 of inputs and outputs in dvc.lock, by stage and path.
        metrics: content of reports/metrics, by model.
        ood: metrics of the OOD detector, by model.
        figures: PNG files by name.
        predictions: by model, if needed and available: a row per test image, columns actual and predicted
            (strings).
    """

    label: str
    commit: str
    uncommitted: bool
    params: dict[str, Any]
    stale: list[str]
    hashes: dict[str, dict[str, str]]
    metrics: dict[str, dict[str, Any]]
    ood: dict[str, dict[str, Any]]
    figures: dict[str, bytes]
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """The models of params.yaml, in its order."""
        return list(self.params.get("models") or {})

    def predictions_hash(self, name: str) -> str | None:
        """MD5 of a model's predictions in dvc.lock; None if it is not recorded."""
        return self._hash(name, paths.predictions(name).as_posix())

    def test_images_hash(self, name: str) -> str | None:
        """MD5 in dvc.lock of the test images that a model was evaluated on; None if it is not recorded."""
        return self._hash(name, paths.images("test").parent.as_posix())

    def _hash(self, name: str, path: str) -> str | None:
        return self.hashes.get(f"evaluate@{name}", {}).get(path)
