"""Parameters, metrics and figures of one side of a comparison: of a commit, or of the workspace."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cifar10 import paths, stage_names


@dataclass(frozen=True)
class RevisionResults:
    """What git and DVC have of a commit, or of the workspace.

    Attributes:
        label: name on the page: a branch, a tag, a short hash.
        commit: full hash; for the workspace, the hash of the commit that is checked out.
        uncommitted: whether this is the workspace.
        params: the content of params.yaml.
        stale: models whose code, parameters or results differ from dvc.lock.
        hashes: MD5 of inputs and outputs in dvc.lock, by stage and path.
        recipes: by training stage, its inputs in dvc.lock: code, data and parameters, without the seed.
        metrics: content of reports/metrics, by model: means and standard deviations over seeds.
        figures: PNG files by name.
        predictions: by model and seed, if needed and available: a row per test image, columns actual and
            predicted (strings).
    """

    label: str
    commit: str
    uncommitted: bool
    params: dict[str, Any]
    stale: list[str]
    hashes: dict[str, dict[str, str]]
    metrics: dict[str, dict[str, Any]]
    figures: dict[str, bytes]
    recipes: dict[str, dict[str, Any]] = field(default_factory=dict)
    predictions: dict[str, dict[int, pd.DataFrame]] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """The models of params.yaml, in its order."""
        return list(self.params.get("models") or {})

    @property
    def seeds(self) -> list[int]:
        """The seeds of params.yaml; none in a revision that trains each model once."""
        found = (self.params.get("train") or {}).get("seeds")
        return found if isinstance(found, list) else []

    def predictions_hash(self, name: str, seed: int) -> str | None:
        """MD5 of the predictions of a training in dvc.lock; None if it is not recorded."""
        return self._hash(name, seed, paths.predictions(name, seed).as_posix())

    def model_hash(self, name: str, seed: int) -> str | None:
        """MD5 of the .h5 file of a training in dvc.lock; None if it is not recorded."""
        return self._hash(name, seed, paths.model(name, seed).as_posix())

    def recipe(self, name: str) -> dict[str, Any] | None:
        """Return the inputs of the training with the first seed in dvc.lock; None if not recorded."""
        return self.recipes.get(stage_names.stage("train", name, self.seeds[0])) if self.seeds else None

    def test_images_hash(self, name: str, seed: int) -> str | None:
        """MD5 in dvc.lock of the test images of an evaluation; None if it is not recorded."""
        return self._hash(name, seed, paths.images("test").parent.as_posix())

    def _hash(self, name: str, seed: int, path: str) -> str | None:
        return self.hashes.get(stage_names.stage("evaluate", name, seed), {}).get(path)
