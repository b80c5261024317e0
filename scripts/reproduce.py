"""Run the whole pipeline in a clone with an empty cache, and say of each stage whether it was reproduced.

The record is dvc.lock of the commit that is checked out. The archive in data/raw is used if there is one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, paths
from cifar10.data import download
from cifar10.errors import UserError

LOCK = Path("dvc.lock")
PRINTED: dict[str, Any] = {"check": True, "capture_output": True, "text": True}
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Clone, run, compare; end with 1 if a stage gave other bytes."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    with tempfile.TemporaryDirectory(prefix="reproduce-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
        stages = subprocess.run(["dvc", "stage", "list", "--name-only"], cwd=clone, **PRINTED).stdout.split()
        recorded = outputs(clone / LOCK, stages)
        code = subprocess.run(
            [sys.executable, "scripts/repro.py"], cwd=clone, env=environment(), check=False
        ).returncode
        if code:
            sys.exit(code)
        differing = compare(recorded, outputs(clone / LOCK, stages))
    console.print(table(differing))
    sys.exit(1 if any(differing.values()) else 0)


def environment() -> dict[str, str]:
    """Give the clone this environment, and the archive that is here."""
    if download.VARIABLE in os.environ or not paths.ARCHIVE.exists():
        return dict(os.environ)
    return {**os.environ, download.VARIABLE: str(paths.ARCHIVE.resolve())}


def outputs(lock: Path, stages: Iterable[str]) -> dict[str, dict[str, str]]:
    """Read the hash of every output of these stages from dvc.lock, by stage and path.

    Raises:
        UserError: there is no dvc.lock.
    """
    if not lock.exists():
        raise UserError(
            f"this commit has no {LOCK}: run `dvc repro` and commit it, then there is something to reproduce"
        )
    recorded: dict[str, Any] = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    return {
        name: {out["path"]: out["md5"] for out in recorded.get(name, {}).get("outs", [])} for name in stages
    }


def compare(
    recorded: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]
) -> dict[str, list[str]]:
    """List, for every recorded stage, the outputs whose bytes are others now."""
    return {
        stage: [path for path, md5 in outs.items() if found.get(stage, {}).get(path) != md5]
        for stage, outs in recorded.items()
    }


def table(differing: Mapping[str, list[str]]) -> Table:
    """Lay out what `compare` found, a row per stage."""
    drawn = Table("stage", "", "other bytes")
    for stage, others in differing.items():
        drawn.add_row(stage, "not reproduced" if others else "reproduced", ", ".join(others))
    return drawn


if __name__ == "__main__":
    errors.run(main)
