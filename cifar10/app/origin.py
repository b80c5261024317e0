"""Where the trained models come from: which data, which revision, and what has changed since."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cifar10 import files, paths
from cifar10.report import render

LOCK = Path("dvc.lock")  # what DVC ran: hashes of what went into each stage and of what came out
CODE = ("cifar10/", "stages/")


@dataclass(frozen=True)
class Origin:
    """For people: the data and the revision in half a sentence each, and what no longer fits the models."""

    data: str
    revision: str
    changed: list[str]


def find(models: Sequence[str]) -> Origin:
    """Look up where these models come from; what cannot be found out is said to be unknown."""
    return Origin(_data(), _revision(), _changed(models))


def _data() -> str:
    source = _read(paths.SOURCE) or _read(paths.DATASET)
    if source.get("source") != "cifar10":
        return render.DATA.get(str(source.get("source")), f"unknown data ({paths.SOURCE} not found)")
    archive = f"archive (SHA-256 {str(source.get('sha256'))[:8]}…)"
    if source.get("official"):
        return f"CIFAR-10, the official {archive}"
    return f"a copy of CIFAR-10, not the official {archive[:-1]})"


def _revision() -> str:
    revision = _git("rev-parse", "--short", "HEAD")
    if revision is None:
        return "an unknown revision"
    if _git("status", "--porcelain", "--", str(LOCK)):
        return f"a run that is not committed, after git revision {revision}"
    return f"git revision {revision}"


def _changed(models: Sequence[str]) -> list[str]:
    """Name the models, code and parameters that differ from what dvc.lock records of the models' making."""
    stages = _read(LOCK).get("stages") or {}
    if not stages:
        return [str(LOCK)]
    mine = [stages.get(f"{stage}@{model}") or {} for stage in ("train", "evaluate") for model in models]
    chosen = _read(paths.PARAMS)
    found = [name for stage in mine for name in _differing(stage, models, chosen)]
    return list(dict.fromkeys(found))


def _differing(stage: dict[str, Any], models: Sequence[str], chosen: dict[str, Any]) -> Iterator[str]:
    own = {path(model).as_posix() for model in models for path in (paths.model, paths.ood_detector)}
    outs = [entry for entry in stage.get("outs", []) if entry["path"] in own]
    code = [entry for entry in stage.get("deps", []) if entry["path"].startswith(CODE)]
    for entry in outs + code:
        if _md5(Path(entry["path"])) != entry["md5"]:
            yield entry["path"]
    for key, value in stage.get("params", {}).get(str(paths.PARAMS), {}).items():
        if _entry(chosen, key) != value:
            yield f"{key} in {paths.PARAMS}"


def _md5(path: Path) -> str | None:
    """Hash a file, or a folder of code, as DVC does; None if there is none."""
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        entries = [{"md5": _md5(path / name), "relpath": name} for name in names if "__pycache__" not in name]
        listed = json.dumps(entries, sort_keys=True).encode()
        return f"{hashlib.md5(listed, usedforsecurity=False).hexdigest()}.dir"
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else None


def _entry(chosen: Any, key: str) -> Any:
    """Look up a dotted key; None if it is not there."""
    for part in key.split("."):
        chosen = chosen.get(part) if isinstance(chosen, dict) else None
    return chosen


def _read(path: Path) -> dict[str, Any]:
    """Read JSON or YAML; nothing if it is missing, damaged or something else."""
    try:
        content = files.read_json(path) if path.suffix == ".json" else yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _git(*arguments: str) -> str | None:
    """Ask git; None if there is none, or no clone."""
    try:
        asked = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip()
