"""Run the whole pipeline in a clone with an empty cache, and report for each stage if it is reproduced.

The outputs are compared with dvc.lock of the current commit. The archive in data/raw is used if it exists.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import commands, errors, git, paths, staleness
from cifar10.data import own_archive
from cifar10.errors import UserError

console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Clone, run, compare; exit with 1 if an output differs."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    git.check()
    with tempfile.TemporaryDirectory(prefix="reproduce-") as folder:
        clone = Path(folder) / "clone"
        git.read("clone", "--quiet", git.line("rev-parse", "--show-toplevel"), str(clone))
        clone /= git.prefix()
        recorded = outputs(clone)
        commands.show(sys.executable, "scripts/repro.py", folder=clone, **archive())
        differing = compare(recorded, outputs(clone))
    console.print(table(differing))
    sys.exit(1 if any(differing.values()) else 0)


def archive() -> dict[str, str]:
    """Return the variable with the path of the archive in data/raw; {} if the user has set it already."""
    if own_archive.VARIABLE in os.environ or not paths.ARCHIVE.exists():
        return {}
    return {own_archive.VARIABLE: str(paths.ARCHIVE.resolve())}


def outputs(root: Path) -> dict[str, dict[str, str]]:
    """Read the hash of every output from dvc.lock of a clone, by stage and path.

    Raises:
        UserError: there is no dvc.lock.
    """
    if not (root / staleness.LOCK).exists():
        raise UserError(
            f"this commit has no {staleness.LOCK}, so there is nothing to reproduce: `dvc repro`, then commit"
        )
    with staleness.repository(folder=root) as repo:
        return staleness.recorded(repo, inputs=False)


def compare(
    recorded: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]
) -> dict[str, list[str]]:
    """List, for every recorded stage, the outputs with different bytes."""
    return {
        stage: [path for path, md5 in outs.items() if found.get(stage, {}).get(path) != md5]
        for stage, outs in recorded.items()
    }


def table(differing: Mapping[str, list[str]]) -> Table:
    """Format a result of `compare`, a row per stage."""
    drawn = Table("stage", "", "other bytes")
    for stage, others in differing.items():
        drawn.add_row(stage, "not reproduced" if others else "reproduced", ", ".join(others))
    return drawn


if __name__ == "__main__":
    errors.run(main)
