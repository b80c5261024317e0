"""Read facts from git."""

from pathlib import Path

from cifar10 import commands
from cifar10.errors import UserError


def read(*arguments: str, folder: Path | None = None) -> str:
    """Return the output of a git command.

    Raises:
        UserError: git is not installed, or the command failed.
    """
    return commands.output("git", *arguments, folder=folder, LC_ALL="C")


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


def inside(folder: Path | None = None) -> bool:
    """Tell whether a folder, by default the current one, is in a git repository.

    Raises:
        UserError: git is not installed, or refuses the repository.
    """
    try:
        read("rev-parse", "--git-dir", folder=folder)
    except UserError as error:
        if "not a git repository" in str(error):
            return False
        raise
    return True


def check(folder: Path | None = None) -> None:
    """Raise UserError, with the commands that mend it, unless a folder is in a git repository."""
    if not inside(folder):
        raise UserError(
            "expected a git repository, found none, as in an unpacked archive: run "
            "`git init && git add -A && git commit -m 'Unpack the archive'`, then the same command again"
        )


def prefix(folder: Path | None = None) -> str:
    """Return the path of a folder in its git repository, "sub/folder/", or "" for the root."""
    return read("rev-parse", "--show-prefix", folder=folder).removesuffix("\n")


def names(*arguments: str, folder: Path | None = None) -> list[str]:
    """Return the paths that a git command with the option -z prints; each is a valid argument of `open`."""
    printed = commands.output("git", *arguments, folder=folder, errors="surrogateescape", LC_ALL="C")
    return [name for name in printed.split("\0") if name]


def uncommitted(*paths: str) -> list[str]:
    """List the files below `paths` (git pathspecs) with uncommitted changes, new files included.

    The names are relative to the working directory.

    Raises:
        UserError: the working directory is not in a git repository.
    """
    entries = names("status", "--porcelain", "-z", "--no-renames", "--", *paths)
    root = prefix()  # git's names are relative to the root of its repository
    return [entry[3:].removeprefix(root) for entry in entries]
