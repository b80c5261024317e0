"""The archive that CIFAR10_ARCHIVE names, and whether data/raw has its content.

DVC does not see the variable, so an up-to-date stage `download` would ignore another archive.
"""

import os
from pathlib import Path

import pooch

from cifar10 import files, paths
from cifar10.errors import UserError
from cifar10.names import shown

VARIABLE = "CIFAR10_ARCHIVE"  # environment variable: path or URL of an archive that replaces the download
NOTE = paths.PARTIAL / "own_archive.json"  # URL and SHA-256 of the last archive from a URL


def named() -> str:
    """Return the path or URL in the variable, "" if it is not set."""
    return os.environ.get(VARIABLE, "")


def is_url(own: str) -> bool:
    """Tell whether an archive is named by its URL."""
    return own.lower().startswith(("http://", "https://"))


def local(own: str) -> Path:
    """Return the path of an archive that is a file.

    Raises:
        UserError: there is no such file; the message says what data/raw has.
    """
    path = Path(own).expanduser()
    if not path.is_file():
        raise UserError(
            f"{shown(own)} is not a file; expected the path or URL of an archive; {_present()}: correct "
            f"{VARIABLE} or unset it"
        )
    return path


def is_in_place(own: str) -> bool:
    """Tell whether data/raw has the content of the archive; of a URL, whether it comes from there.

    Raises:
        UserError: the archive is a path, and there is no such file.
    """
    if is_url(own):
        return _note() == {"url": own, "sha256": _sha256(paths.ARCHIVE)}
    path = local(own)
    same_size = paths.ARCHIVE.is_file() and paths.ARCHIVE.stat().st_size == path.stat().st_size
    return same_size and _sha256(paths.ARCHIVE) == _sha256(path)


def record(own: str) -> None:
    """Note from which URL the archive in data/raw comes."""
    if is_url(own):
        files.write_json(NOTE, {"url": own, "sha256": _sha256(paths.ARCHIVE)})


def check() -> None:
    """Check that data/raw has the archive that the variable names, if it is set.

    Raises:
        UserError: data/raw has another archive; the message says how to take the named one.
    """
    own = named()
    try:
        in_place = not own or is_in_place(own)
    except UserError as error:
        raise UserError(f"{VARIABLE}: {error}") from None
    if not in_place:
        raise UserError(
            f"{VARIABLE}: {shown(own)} is another archive than the one in data/raw; {_present()}: "
            "`make repro` takes the named one, and so does `dvc repro --force --single-item download`"
        )


def _present() -> str:
    digest = _sha256(paths.ARCHIVE)
    return f"data/raw has an archive with SHA-256 {digest[:8]}…" if digest else "data/raw has no archive"


def _sha256(path: Path) -> str:
    return str(pooch.file_hash(str(path))) if path.is_file() else ""


def _note() -> object:
    try:
        return files.read_json(NOTE)
    except (OSError, ValueError):
        return None
