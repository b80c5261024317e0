"""The folder of an export: it appears as a whole, or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cifar10 import files
from cifar10.errors import UserError

DESCRIPTION, EXAMPLE = "model.json", "example.py"  # beside the model


def check(folder: Path, force: bool) -> None:
    """Refuse a folder that exists, and with `force` one that holds anything but an export.

    Raises:
        UserError: the folder cannot be written or replaced.
    """
    if os.path.lexists(folder):
        if not force:
            raise UserError(f"{folder} exists: choose another --output, or replace it with --force")
        if not _is_export(folder):
            raise UserError(
                f"{folder} is not an export, so --force does not replace it: choose another --output"
            )
    parent = next(each for each in folder.absolute().parents if os.path.lexists(each))
    if not parent.is_dir():
        raise UserError(f"--output: {parent} is not a folder: choose another place for {folder}")
    if not os.access(parent, os.W_OK):
        raise UserError(f"--output: {parent} is not writable: choose another place for {folder}")


def _is_export(folder: Path) -> bool:
    try:
        return "format" in files.read_json(folder / DESCRIPTION)
    except (OSError, ValueError, TypeError):
        return folder.is_dir() and not any(folder.iterdir())


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`; on success, it replaces `folder`.

    On an error, the new folder is deleted and `folder` stays unchanged.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.tmp", dir=folder.parent))
    new, old = beside / "new", beside / "old"
    try:
        new.mkdir()
        yield new
        if os.path.lexists(folder):
            folder.rename(old)
        try:
            new.rename(folder)
        except BaseException:
            if os.path.lexists(old):
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
