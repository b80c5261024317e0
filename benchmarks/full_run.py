"""Measure the wall time of the whole pipeline, from the archive to the report, with one seed and with all.

Each run is in a clone of the current commit with an empty cache. It reads the archive in data/raw, or
CIFAR10_ARCHIVE, so the time does not include the download. JOBS in the environment sets the number of
parallel stages (default: one per core). Writes reports/full_run.json.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.run import environment
from benchmarks.timing import Run, timed
from cifar10 import errors, files, machine, params, paths
from cifar10.data import own_archive
from scripts import repro

TARGET = paths.REPORTS / "full_run.json"


def main() -> None:
    """Run the pipeline with one seed and with all, and write the outcome."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    report = measure(os.environ.get(own_archive.VARIABLE) or str(paths.ARCHIVE.resolve()))
    files.write_json(TARGET, report)
    print(
        f"{report['seconds']:.0f} s, {report['ratio']:.2f} times that of one seed, "
        f"peak memory {report['peak_bytes'] / 1e9:.2f} GB: {TARGET}"
    )


def measure(archive: str) -> dict[str, Any]:
    """Time `make repro` in a new clone, with the first seed and with all seeds.

    Args:
        archive: path of the CIFAR-10 archive; not used with another `data.source`.

    Returns:
        machine, models, seeds, epochs, jobs (stages at once), seconds (wall time) and peak_bytes (resident
        memory of the largest process) with all seeds; one_seed_seconds; ratio of the two times.

    Raises:
        UserError: the archive is missing, or the pipeline fails.
    """
    chosen = params.load()
    if chosen.data.source == "cifar10" and not Path(archive).is_file():
        raise errors.UserError(f"{archive} not found: run `dvc repro download` first")
    first = pipeline(archive, chosen.train.seeds[:1])
    every = pipeline(archive, chosen.train.seeds) if len(chosen.train.seeds) > 1 else first
    return {
        "machine": machine.describe(),
        "models": list(chosen.models),
        "seeds": chosen.train.seeds,
        "epochs": chosen.train.epochs,
        "jobs": repro.wanted_jobs(),
        **asdict(every),
        "one_seed_seconds": first.seconds,
        "ratio": every.seconds / first.seconds,
    }


def pipeline(archive: str, seeds: list[int]) -> Run:
    """Time `make repro` in a new clone with these seeds.

    Raises:
        UserError: the pipeline fails.
    """
    with tempfile.TemporaryDirectory(prefix="full-run-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
        path = clone / paths.PARAMS
        text, count = re.subn(
            r"^  seeds: .*$", f"  seeds: {seeds}", path.read_text(encoding="utf-8"), flags=re.M
        )
        if count != 1:
            raise errors.UserError(f"{paths.PARAMS}: expected one line with `seeds`, found {count}")
        files.write_text(path, text)
        variables = environment() | {own_archive.VARIABLE: archive}
        return timed([sys.executable, "scripts/repro.py"], clone, variables)


if __name__ == "__main__":
    errors.run(main)
