"""Read a revision from git and DVC: parameters, metrics, hashes, figures, predictions."""

import hashlib
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cifar10 import paths, stage_names, staleness
from cifar10.compare.page import code
from cifar10.compare.side import Side
from cifar10.errors import UserError

if TYPE_CHECKING:
    from dvc.repo import Repo

    from cifar10.compare.git_revision import Revision

COLUMNS = ["actual", "predicted"]


@dataclass
class Content:
    """The files of a revision, read from one open repository.

    `dvc.api.metrics_show` is not used: it opens a repository in every call, and it merges the metrics of
    several files, so each file would need a call.
    """

    revision: "Revision"
    repo: "Repo"

    def side(self) -> Side:
        """Read everything except the predictions.

        Raises:
            UserError: dvc.yaml, dvc.lock or params.yaml is missing or damaged.
        """
        with self.revision.labelled_errors():
            return self._side()

    def _side(self) -> Side:
        params = self._read(self.repo.params.show(targets=[str(paths.PARAMS)], on_error="return"))
        chosen = params.get(str(paths.PARAMS), {})
        if not isinstance(chosen.get("models"), dict):
            raise UserError(f"expected {paths.PARAMS} with an entry `models`, found none")
        names = list(chosen["models"])
        metrics = self._read(self.repo.metrics.show(on_error="return"))
        measured = {name: metrics.get(paths.metrics(name).as_posix(), {}) for name in names}
        self._note_older([name for name, content in measured.items() if content and "seeds" not in content])
        return Side(
            label=self.revision.label,
            commit=self.revision.commit,
            uncommitted=self.revision.uncommitted,
            params=chosen,
            stale=self._stale(names, (chosen.get("train") or {}).get("seeds") or []),
            hashes=staleness.recorded(self.repo),
            metrics={name: content for name, content in measured.items() if "seeds" in content},
            figures=self._figures(),
        )

    def _note_older(self, names: list[str]) -> None:
        """Note the metrics files from before a model had several seeds."""
        label = code(self.revision.label)
        for name in names:
            path = code(paths.metrics(name).as_posix())
            self.revision.missing.append(
                f"{path} of {label} is of a version that trained each model once, and is left out."
            )

    def predictions(self, name: str, seed: int) -> pd.DataFrame | None:
        """Fetch the predictions of a training from the workspace, the cache or the remote.

        Returns:
            A row per test image, columns actual and predicted; None if no place has what dvc.lock records.
        """
        path, label = paths.predictions(name, seed).as_posix(), self.revision.label
        print(f"fetching {path} of {label}", file=sys.stderr)
        stage = stage_names.stage("evaluate", name, seed)
        recorded = staleness.recorded(self.repo, inputs=False).get(stage, {}).get(path)
        try:
            content = self.repo.dvcfs.read_bytes(path)
            if hashlib.md5(content, usedforsecurity=False).hexdigest() != recorded:
                self.revision.missing.append(
                    f"{code(path)} of {code(label)} is not the file that dvc.lock records: run "
                    "`dvc checkout` or `dvc repro`."
                )
                return None
            return pd.read_csv(io.BytesIO(content), usecols=COLUMNS, dtype=str, keep_default_na=False)
        except Exception as error:  # each kind of remote has errors of its own
            print(f"  {type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
            self.revision.missing.append(
                f"{code(path)} of {code(label)} is in neither the DVC cache nor the remote: run "
                "`dvc push` where it was made."
            )
            return None

    def _figures(self) -> dict[str, bytes]:
        """Read the figures, PNG by name."""
        folder = paths.FIGURES.as_posix()
        found = (
            sorted(Path(path) for path in self.repo.dvcfs.find(folder))
            if self.repo.dvcfs.exists(folder)
            else []
        )
        return {
            path.name: self.repo.dvcfs.read_bytes(path.as_posix()) for path in found if path.suffix == ".png"
        }

    def _stale(self, names: list[str], seeds: list[int]) -> list[str]:
        """List the models with other code, parameters or results than dvc.lock records.

        What is absent does not count: in a commit, all that DVC keeps.
        """
        stages = [stage_names.stage(*each) for each in product(("train", "evaluate"), names, seeds)]
        found = staleness.changes(self.repo, *stages) if stages else {}
        differing = {
            stage_names.split(stage)[0]
            for stage, changes in found.items()
            if any(state not in ("deleted", "not in cache") for state in changes.values())
        }
        return [name for name in names if name in differing]

    def _read(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Take the content of the files from what DVC shows, and note which are damaged."""
        (found,) = shown.values()
        if "error" in found:
            raise found["error"]
        for path, entry in found["data"].items():
            if "error" in entry and not isinstance(entry["error"], FileNotFoundError):
                label = code(self.revision.label)
                self.revision.missing.append(f"{code(path)} of {label} is damaged and left out.")
        return {path: entry["data"] for path, entry in found["data"].items() if "data" in entry}
