"""Where the models behind a page come from: data, git revision, and whether they are what that records."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import yaml

from cifar10 import files, pages, params, paths
from cifar10.errors import UserError

LOCK = Path("dvc.lock")
MADE_OF = (
    "cifar10",
    "stages",
    "dvc.yaml",
    "dvc.lock",
    "params.yaml",
)  # what git keeps of how models are made


def describe() -> dict[str, Any]:
    """Gather `data` and `revision`, a few words each, and `warnings`, a line each."""
    return {"data": _data(), "revision": _git("rev-parse", "--short", "HEAD"), "warnings": _warnings()}


def _data() -> str:
    return pages.origin(files.read_json(paths.DATASET)) if paths.DATASET.exists() else ""


def _warnings() -> list[str]:
    found = []
    if changed := _git("status", "--porcelain", "--", *MADE_OF).splitlines():
        names = ", ".join(line[3:] for line in changed[:3]) + (", ..." if len(changed) > 3 else "")
        found.append(f"Since that revision, without a commit, there are changes in {names}.")
    if others := [name for name in _models() if _recorded(name) not in (None, _md5(name))]:
        found.append(f"{', '.join(others)}: not the file that dvc.lock records.")
    return found


def _models() -> list[str]:
    try:
        return [name for name in params.load().models if paths.model(name).exists()]
    except UserError:
        return []


def _recorded(name: str) -> str | None:
    """Look up the MD5 of a model's file, None if it is not recorded."""
    try:
        stage = yaml.safe_load(LOCK.read_text(encoding="utf-8"))["stages"][f"train@{name}"]
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        return None
    found = [out.get("md5") for out in stage["outs"] if out["path"] == str(paths.model(name))]
    return found[0] if found else None


def _md5(name: str) -> str:
    with paths.model(name).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _git(*arguments: str) -> str:
    """Ask git; nothing without git or outside a repository."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip("\n")
