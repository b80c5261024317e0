"""Find the pictures named on a command line: files, folders, standard input."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

STDIN = "-"
# Files and folders that systems put beside pictures, in lower case; hidden ones are not listed.
SYSTEM = {
    "$recycle.bin",
    "@eadir",
    "__macosx",
    "albumart.pmp",
    "desktop.ini",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "icon\r",
    "lost+found",
    "picasa.ini",
    "system volume information",
    "thumbs.db",
}


def is_skipped(name: str) -> bool:
    """Check for a hidden file or folder, or one that a system puts beside pictures, such as Thumbs.db."""
    return name.startswith(".") or name.lower() in SYSTEM or name.lower().startswith("thumbs.db:")


def expand(arguments: Sequence[str]) -> list[str]:
    """Replace folders by the files in them, recursively, sorted by name.

    Hidden files and those of a system are skipped. A linked folder is followed, but each folder is read once,
    where it lies or else where the first link to it is. A link to nothing and a folder that cannot be read
    stay in the list: reading them says why.

    Args:
        arguments: paths, or `-` for standard input, which is kept.
    """
    return [name for argument in arguments for name in _files(argument)]


def _files(argument: str) -> Iterator[str]:
    if argument == STDIN or not Path(argument).is_dir():
        yield argument
        return
    here = set()
    for folder, inside, _ in os.walk(argument):  # not through links
        here.add(_identity(folder))
        inside[:] = [name for name in inside if not is_skipped(name)]
    yield from sorted(_below(argument, here, set()), key=lambda name: Path(name).parts)


def _below(folder: str, here: set[tuple[int, int]], read: set[tuple[int, int]]) -> Iterator[str]:
    """List the files below a folder.

    Args:
        folder: its path.
        here: identities of the folders that need no link.
        read: identities of the folders read so far.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # reading it gives the reason
        return
    for entry in entries:
        if is_skipped(entry.name):
            continue
        if Path(entry.path).is_dir():
            identity = _identity(entry.path)
            if identity in read or (entry.is_symlink() and identity in here):
                continue
            read.add(identity)
            yield from _below(entry.path, here, read)
        elif Path(entry.path).is_file() or not Path(entry.path).exists():
            yield entry.path


def _identity(folder: str) -> tuple[int, int]:
    found = Path(folder).stat()
    return found.st_dev, found.st_ino
