"""Find the pictures named on a command line: files, folders, standard input."""

from collections.abc import Iterator, Sequence
from pathlib import Path

STDIN = "-"


def expand(arguments: Sequence[str]) -> list[str]:
    """Replace folders by the files in them, recursively, sorted by name; hidden files are skipped.

    Args:
        arguments: paths, or `-` for standard input, which is kept.
    """
    return [name for argument in arguments for name in _files(argument)]


def _files(argument: str) -> Iterator[str]:
    if argument == STDIN or not Path(argument).is_dir():
        yield argument
        return
    for path in sorted(Path(argument).rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(argument).parts)
        if not hidden and path.is_file():
            yield str(path)


def shown(name: str) -> str:
    r"""Escape the unprintable characters of a name for a terminal, as in \x1b."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in name
    )
