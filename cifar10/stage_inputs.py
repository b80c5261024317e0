"""The inputs of a stage as dvc.yaml lists them, to notice changes while the stage runs.

DVC records the inputs after a stage has ended. A file that was edited meanwhile would be recorded with the
outputs of its earlier content, and no later run would notice.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cifar10 import paths, yaml_text
from cifar10.errors import UserError

GRAPH = Path("dvc.yaml")
ARGUMENTS = ("model", "seed")  # of a stage that dvc.yaml repeats with `matrix`
IGNORED = "__pycache__/*.pyc"  # as in .dvcignore; Python writes these while a stage runs
Inputs = dict[str, str]  # file or parameter: its content, as a hash or as JSON


def read(stage: str, arguments: Sequence[str]) -> Inputs:
    """Return the present content of all inputs of a stage.

    Args:
        stage: its name in dvc.yaml, without the model and the seed.
        arguments: model and seed, or none.

    Returns:
        Missing files and parameters are left out. Empty if there is no dvc.yaml, or no such stage in it.
    """
    entry = _load(GRAPH).get("stages", {}).get(stage, {})
    values = {"item": dict(zip(ARGUMENTS, arguments, strict=False))}
    found: Inputs = {}
    for path in (_fill(text, values) for text in entry.get("deps", [])):
        found |= {file.as_posix(): _digest(file) for file in _files(Path(path))}
    for file, keys in _parameters(entry.get("params", [])):
        content = _load(file)
        for key in [""] if keys is None else [_fill(key, values) for key in keys]:
            if (value := _find(content, key)) is not None:
                found[f"{key} in {file}" if key else str(file)] = json.dumps(
                    value, sort_keys=True, default=str
                )
    return found


def changed(before: Inputs, after: Inputs) -> list[str]:
    """List the files and parameters that differ, new and missing ones included."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _parameters(entries: Sequence[Any]) -> Iterator[tuple[Path, list[str] | None]]:
    """List parameter files and keys; None stands for all keys."""
    for entry in entries:
        if isinstance(entry, str):
            yield paths.PARAMS, [entry]
        else:
            yield from ((Path(file), keys or None) for file, keys in entry.items())


def _files(path: Path) -> list[Path]:
    """List a file, or all files below a folder."""
    if not path.is_dir():
        return [path] if path.exists() else []
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.match(IGNORED))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:  # deleted since it was listed
        return ""


def _load(path: Path) -> dict[str, Any]:
    """Read a YAML file; {} if it is missing, damaged, or half-written by an editor."""
    try:
        content = yaml_text.read(path)
    except (OSError, UserError):
        return {}
    return content if isinstance(content, dict) else {}


def _fill(text: str, values: dict[str, Any]) -> str:
    """Replace `${item.model}` by an argument, and `${data.folder}` by a value of params.yaml."""

    def value(match: re.Match[str]) -> str:
        found = _find(values, match[1])
        return str(_find(_load(paths.PARAMS), match[1]) if found is None else found)

    return re.sub(r"\$\{([^}]+)\}", value, text)


def _find(content: Any, key: str) -> Any:
    """Look up a dotted key; None if it is missing."""
    for part in key.split(".") if key else []:
        content = content.get(part) if isinstance(content, dict) else None
    return content
