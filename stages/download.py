"""Fetch the data set that params.yaml names to data/raw and write down what it is."""

import argparse
import os
import sys
from pathlib import Path

import pooch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not
from cifar10 import errors, files, params, paths, progress
from cifar10.data import download, sources

HELP = "CIFAR10_ARCHIVE=/path/to/archive.tar.gz (or a URL) in the environment takes that archive instead."
WAYS_ON = """
Three ways on without these hosts:
  CIFAR10_ARCHIVE=/path/to/archive.tar.gz  (or a URL) before the same command takes an archive that you have
  dvc pull   fetches data and models of the last run from the DVC remote
  make demo  runs everything on handwritten digits that are built in"""


def main() -> None:
    """Place the archive, or look at a source that needs none, and write its facts to data/raw/source.json."""
    argparse.ArgumentParser(description=__doc__, epilog=HELP).parse_args()
    data = params.load().data
    if data.source == "cifar10":
        place_archive(data.cifar10)
    facts = sources.describe(data)
    if data.source != "cifar10":
        paths.ARCHIVE.unlink(missing_ok=True)  # what this stage leaves must not depend on the past
    files.write_json(paths.SOURCE, facts)
    progress.log(f"{paths.SOURCE}: {', '.join(f'{key}: {value}' for key, value in facts.items())}")
    if not facts.get("official", True):
        progress.log(f"This is not the official archive, whose SHA-256 is {data.cifar10.sha256}")


def place_archive(wanted: params.Cifar10) -> None:
    """Bring the archive to data/raw unless the official one is there already."""
    new = paths.PARTIAL / paths.ARCHIVE.name
    limits = download.Limits(wanted.minimum_rate, wanted.window)
    paths.RAW.mkdir(parents=True, exist_ok=True)
    if own := os.environ.get(download.VARIABLE):
        download.bring(own, new, limits)
        new.replace(paths.ARCHIVE)
    elif not paths.ARCHIVE.exists() or pooch.file_hash(str(paths.ARCHIVE)) != wanted.sha256:
        try:
            download.fetch(wanted.mirrors, wanted.sha256, new, limits).replace(paths.ARCHIVE)
        except errors.UserError as error:
            raise errors.UserError(f"{error}{WAYS_ON}") from None


if __name__ == "__main__":
    errors.run(main)
