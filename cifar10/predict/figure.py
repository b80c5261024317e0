"""Check the path of a figure before anything is read."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cifar10.data import inputs
from cifar10.errors import UserError

# What matplotlib writes without another program (LaTeX, for pgf).
FORMATS = "avif eps gif jpeg jpg pdf png ps raw rgba svg svgz tif tiff webp"


def check(figure: str, names: Sequence[str]) -> None:
    """Refuse a figure that cannot be written, or that would replace one of the pictures.

    Args:
        figure: its path.
        names: of the pictures, from `inputs.expand`.

    Raises:
        UserError: the suffix is not one of FORMATS, the path is a folder, the file is a picture to classify,
            or its folder does not allow to write.
    """
    path = Path(figure)
    if path.is_dir():
        raise UserError(f"--figure: {path} is a folder: name a file in it, as in {path / 'answers.png'}")
    if path.suffix.lower() not in {f".{name}" for name in FORMATS.split()}:
        found = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        expected = ", ".join(FORMATS.split())
        raise UserError(f"--figure: {path} has {found}, expected one of {expected}, as in answers.png")
    for name in names:
        if _is_same(path, name):
            raise UserError(
                f"--figure: {path} is one of the pictures and would be overwritten: choose another name"
            )
    parent = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    if not parent.is_dir():
        raise UserError(f"--figure: {parent} is not a folder: choose another place for {path}")
    if not os.access(parent, os.W_OK):
        raise UserError(f"--figure: {parent} allows no new files: choose another place for {path}")


def _is_same(path: Path, name: str) -> bool:
    """Check whether a figure is a picture, also by a link or another spelling."""
    try:
        if name == inputs.STDIN:
            return os.path.samestat(path.stat(), os.fstat(sys.stdin.fileno()))
        return path.samefile(name)
    except (OSError, ValueError):  # one of them does not exist
        return name != inputs.STDIN and _spelling(path) == _spelling(Path(name))


def _spelling(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))
