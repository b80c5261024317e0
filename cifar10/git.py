"""Read facts from git."""

from pathlib import Path

from cifar10 import commands
from cifar10.errors import UserError


def read(*arguments: str, folder: Path | None = None) -> str:
    """Return the output of a git command.

    Raises:
        UserError: git is not installed, or the command failed.
    """
    return commands.output("git", *arguments, folder=folder)


def line(*arguments: str) -> str:
    """Return the output of a git command without the line end; "" if the command fails."""
    try:
        return read(*arguments).strip()
    except UserError:
        return ""


def head() -> str:
    """Return the full hash of the commit that is checked out.

    Raises:
        UserError: there is no commit, or the working directory is not in a git repository.
    """
    return read("rev-parse", "HEAD").strip()


def uncommitted(*paths: str) -> list[str]:
    """List the files below `paths` (git pathspecs) with uncommitted changes, new files included.

    Raises:
        UserError: the working directory is not in a git repository.
    """
    printed = read("status", "--porcelain", "-z", "--no-renames", "--", *paths)
    return [entry[3:] for entry in printed.split("\0") if entry]
