"""Download the data set and the weights that params.yaml names to data/raw; describe the data there."""

import argparse
import sys
from pathlib import Path

import pooch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not
from cifar10 import errors, files, params, paths, progress, stage_process
from cifar10.data import base_weights, download, own_archive, sources, unused_folder

HELP = "Set CIFAR10_ARCHIVE=/path/to/archive.tar.gz (or a URL) in the environment to use your own archive."
WAYS_ON = """
Without these hosts, use one of:
  CIFAR10_ARCHIVE=/path/to/archive.tar.gz  (or a URL) before the same command, to use your own archive
  dvc pull   to fetch data and models of the last run from the DVC remote
  make demo  to run everything on built-in handwritten digits"""


def main() -> None:
    """Place the archive, or check a source without one, and write its facts to data/raw/source.json."""
    argparse.ArgumentParser(description=__doc__, epilog=HELP).parse_args()
    chosen = params.load()
    data = chosen.data
    base_weights.place(chosen)
    if data.source == "cifar10":
        place_archive(data.cifar10)
    facts = sources.describe(data)
    if data.source != "cifar10":
        paths.ARCHIVE.unlink(missing_ok=True)  # the output must not depend on earlier runs
    unused_folder.make(data)
    files.write_json(paths.SOURCE, facts)
    progress.log(f"{paths.SOURCE}: {', '.join(f'{key}: {value}' for key, value in facts.items())}")
    if not facts.get("official", True):
        progress.log(f"This is not the official archive: expected SHA-256 {data.cifar10.sha256}")


def place_archive(wanted: params.Cifar10) -> None:
    """Place the archive in data/raw, unless the official one is already there."""
    new = paths.PARTIAL / paths.ARCHIVE.name
    limits = download.Limits(wanted.minimum_rate, wanted.window)
    paths.RAW.mkdir(parents=True, exist_ok=True)
    if own := own_archive.named():
        download.bring(own, new, limits)
        new.replace(paths.ARCHIVE)
        own_archive.record(own)
    elif not paths.ARCHIVE.exists() or pooch.file_hash(str(paths.ARCHIVE)) != wanted.sha256:
        try:
            download.fetch(wanted.mirrors, wanted.sha256, new, limits).replace(paths.ARCHIVE)
        except errors.UserError as error:
            raise errors.UserError(f"{error}{WAYS_ON}") from None


if __name__ == "__main__":
    stage_process.run(main)
