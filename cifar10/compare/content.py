"""Read a revision from git and DVC: parameters, metrics, hashes, figures, predictions."""

import io
import json
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cifar10 import paths, stage_names, staleness
from cifar10.compare.formats import code
from cifar10.compare.revision_results import RevisionResults
from cifar10.errors import UserError

if TYPE_CHECKING:
    from dvc.repo import Repo

    from cifar10.compare.git_revision import Revision

COLUMNS = ["actual", "predicted"]


@dataclass
class Content:
    """The files of a revision, read from one open repository.

    DVC's `metrics show` is not used: it leaves out lists, which hold the accuracy of each seed.
    """

    revision: "Revision"
    repo: "Repo"

    def side(self) -> RevisionResults:
        """Read everything except the predictions.

        Raises:
            UserError: dvc.yaml, dvc.lock or params.yaml is missing or damaged.
        """
        with self.revision.labelled_errors():
            return self._side()

    def _side(self) -> RevisionResults:
        chosen = self._params()
        if not isinstance(chosen.get("models"), dict):
            raise UserError(f"expected {paths.PARAMS} with an entry `models`, found none")
        names = list(chosen["models"])
        measured = {name: self._metrics(name) for name in names}
        return RevisionResults(
            label=self.revision.label,
            commit=self.revision.commit,
            uncommitted=self.revision.uncommitted,
            params=chosen,
            stale=self._stale(names, (chosen.get("train") or {}).get("seeds") or []),
            hashes=staleness.recorded(self.repo),
            recipes=self._recipes(),
            metrics={name: content for name, content in measured.items() if content},
            figures=self._figures(),
        )

    def _params(self) -> dict[str, Any]:
        """Read params.yaml."""
        (shown,) = self.repo.params.show(targets=[str(paths.PARAMS)], on_error="return").values()
        if "error" in shown:
            raise shown["error"]
        return dict(shown["data"].get(str(paths.PARAMS), {}).get("data", {}))

    def _metrics(self, name: str) -> dict[str, Any]:
        """Read a model's metrics file; {} if it is missing, or unusable, which is noted."""
        path = paths.metrics(name).as_posix()
        try:
            content = json.loads(self.repo.dvcfs.read_text(path, encoding="utf-8"))
            if "seeds" in content:
                return dict(content)
            fault = "of a version that trained each model once, and is left out."
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError):
            fault = "damaged and left out."
        self.revision.missing.append(f"{code(path)} of {code(self.revision.label)} is {fault}")
        return {}

    def predictions(self, name: str, seed: int) -> pd.DataFrame | None:
        """Fetch the predictions of a training from the workspace, the cache or the remote.

        Returns:
            A row per test image, columns actual and predicted; None if none of these places has them.
        """
        path, label = paths.predictions(name, seed).as_posix(), self.revision.label
        print(f"fetching {path} of {label}", file=sys.stderr)
        try:
            text = self.repo.dvcfs.read_text(path, encoding="utf-8")
            return pd.read_csv(io.StringIO(text), usecols=COLUMNS, dtype=str, keep_default_na=False)
        except Exception as error:  # each kind of remote has errors of its own
            print(f"  {type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
            self.revision.missing.append(
                f"{code(path)} of {code(label)} is in neither the DVC cache nor the remote: run "
                "`dvc push` where it was made."
            )
            return None

    def _recipes(self) -> dict[str, dict[str, Any]]:
        """Read hashes and parameters that each training depends on from dvc.lock, by stage and file."""
        return {
            stage.name: {entry.def_path: entry.hash_info.value for entry in stage.deps}
            for stage in self.repo.index.stages
            if stage.name.startswith("train@") and all(entry.hash_info for entry in stage.deps)
        }

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
