"""Print what the stage `audit` found: python -m cifar10.audit."""

import argparse

from cifar10 import errors, files, paths
from cifar10.audit import summary
from cifar10.errors import UserError


def main() -> None:
    """Read reports/audit.json and print it in words."""
    argparse.ArgumentParser(prog="python -m cifar10.audit", description=__doc__).parse_args()
    try:
        found = files.read_json(paths.AUDIT)
    except FileNotFoundError:
        raise UserError(f"{paths.AUDIT} not found: run `dvc repro audit` to make it") from None
    print("\n".join(summary.sentences(found)))


if __name__ == "__main__":
    errors.run(main)
