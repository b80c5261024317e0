"""Look for copies, copies under two labels and faulty pictures; write reports/audit.json."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import files, paths, progress, stage_process
from cifar10.audit import summary
from cifar10.errors import UserError

# isort: split
import numpy as np

SPLITS = ("train", "validation", "test")


def main() -> None:
    """Audit all splits, write the result and print it in words."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        splits = {
            name: (np.load(paths.images(name), mmap_mode="r"), np.load(paths.labels(name))) for name in SPLITS
        }
        classes = files.read_json(paths.CLASSES)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} not found: run `dvc repro` to make it") from None
    found = summary.audit(splits, classes)
    files.write_json(paths.AUDIT, found)
    for text in summary.sentences(found):
        progress.log(text)


if __name__ == "__main__":
    stage_process.run(main)
