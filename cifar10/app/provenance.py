"""Provenance of the trained models: data, git revision, and what changed since they were made."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from cifar10 import files, git, paths, stage_names, staleness
from cifar10.errors import UserError
from cifar10.predict.model_folder import ABOUT, HERE, ModelFolder
from cifar10.report import render


@dataclass(frozen=True)
class Provenance:
    """Origin of the models, as text.

    Attributes:
        data: the data, half a sentence.
        revision: the git revision, half a sentence.
        changed: models, code and parameters that changed since the models were made; None if unknown.
    """

    data: str
    revision: str
    changed: list[str] | None


def find(models: Sequence[str], seeds: Sequence[int], folder: ModelFolder = HERE) -> Provenance:
    """Look up the origin of the models of a folder; missing facts are "unknown"."""
    if not folder.here:
        about = _read(folder.root / ABOUT)
        data, revision = (str(about.get(key, f"unknown {key}")) for key in ("data", "revision"))
        return Provenance(data, revision, [] if about else None)
    return Provenance(_data(), _revision(), _changed(models, seeds))


def _data() -> str:
    source = _read(paths.SOURCE) or _read(paths.DATASET)
    if source.get("source") != "cifar10":
        return render.DATA.get(str(source.get("source")), f"unknown data ({paths.SOURCE} not found)")
    archive = f"archive (SHA-256 {str(source.get('sha256'))[:8]}…)"
    if source.get("official"):
        return f"CIFAR-10, the official {archive}"
    return f"a copy of CIFAR-10, not the official {archive[:-1]})"


def _revision() -> str:
    revision = git.line("rev-parse", "--short", "HEAD")
    if not revision:
        return "an unknown revision"
    if git.line("status", "--porcelain", "--", staleness.LOCK):
        return f"a run that is not committed, after git revision {revision}"
    return f"git revision {revision}"


def _changed(models: Sequence[str], seeds: Sequence[int]) -> list[str] | None:
    """Name the models and their inputs that differ from what dvc.lock records; None if DVC cannot tell.

    Reports do not count, and neither does absent data: a clone may have pulled the models alone.
    """
    if not models:
        return []
    stages = [stage_names.stage(*each) for each in product(("train", "evaluate"), models, seeds)]
    try:
        with staleness.repository() as repo:
            found = staleness.changes(repo, *stages)
    except UserError:
        return None
    differing = [entry for changes in found.values() for entry in changes.items()]
    return list(dict.fromkeys(name for name, state in differing if _counts(name, state)))


def _counts(name: str, state: str) -> bool:
    if name.startswith("reports/") or state == "not in cache":
        return False
    return state != "deleted" or not name.startswith("data/")


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON object; {} if the file is missing, damaged or holds something else."""
    try:
        content = files.read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
