"""Check that DVC can see every picture of a folder: what it does not see changes without a new run."""

import os
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from cifar10.errors import UserError
from cifar10.names import shown

MOST = 10  # files that an error names
IGNORE = ".dvcignore"


def is_link(path: Path) -> bool:
    """Tell whether a path is a symbolic link, or a junction of Windows."""
    return path.is_symlink() or bool(getattr(path, "is_junction", bool)())


def check(folder: Path, project: Path) -> None:
    """Check all files and folders below `folder`.

    Args:
        folder: the folder of pictures; it may itself be a link.
        project: the folder of dvc.yaml.

    Raises:
        UserError: names up to `MOST` links to folders, broken links, pipes and devices, names that are not
            UTF-8, folders that cannot be read and files that .dvcignore excludes; or a damaged .dvcignore.
    """
    found = [*_faults(folder), *_ignored(folder, project)]
    if found:
        more = f"\n  and {len(found) - MOST:,} more" if len(found) > MOST else ""
        lines = "".join(f"\n  {line}" for line in found[:MOST])
        raise UserError(f"data.folder: {shown(str(folder))} has content that DVC cannot track:{lines}{more}")


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    for root, folders, files in os.walk(folder):
        folders.sort()
        yield Path(root), folders, sorted(files)


def _faults(folder: Path) -> Iterator[str]:
    for root, folders, files in _walk(folder):
        if not os.access(root, os.R_OK | os.X_OK):
            yield f"{shown(str(root))}: no permission to read the folder"
        for name in [*folders, *files]:
            path = root / name
            if any("\ud800" <= letter <= "\udfff" for letter in name):
                yield f"{shown(str(path))}: the name is not UTF-8: rename it"
            elif is_link(path) and not path.exists():
                yield f"{shown(str(path))}: a link to nothing: delete it"
            elif is_link(path) and path.is_dir():
                if not name.startswith("."):
                    yield f"{shown(str(path))}: a link to a folder: move or copy the folder here"
            elif path.exists() and not (path.is_file() or path.is_dir()):  # reading it can take for ever
                yield f"{shown(str(path))}: neither a file nor a folder: delete it"


def _ignored(folder: Path, project: Path) -> Iterator[str]:
    """Name files and folders that a .dvcignore excludes, except hidden ones; each folder once."""
    top = Path(os.path.abspath(folder))  # noqa: PTH100  (resolve follows links)
    project = Path(os.path.abspath(project))  # noqa: PTH100
    if not top.is_relative_to(project):
        return
    chain = [top, *top.parents]
    rules = [_rules(above) for above in reversed(chain[1 : chain.index(project) + 1])]
    if pattern := _match(rules, top, True):
        yield _told(folder, pattern)
        return
    yield from _below(top, folder, rules)


def _below(path: Path, shown_as: Path, rules: list["_Rules"]) -> Iterator[str]:
    rules = [*rules, _rules(path)]
    if not os.access(path, os.R_OK | os.X_OK):
        return
    for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        if pattern := _match(rules, path / entry.name, is_folder):
            yield _told(shown_as / entry.name, pattern)
        elif is_folder:
            yield from _below(path / entry.name, shown_as / entry.name, rules)


_Rules = tuple[Path, list[str], GitIgnoreSpec] | None


def _rules(folder: Path) -> _Rules:
    path = folder / IGNORE
    if not path.is_file():
        return None
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        return folder, lines, GitIgnoreSpec.from_lines(lines)
    except ValueError as error:  # not UTF-8, or no pattern
        raise UserError(f"{shown(str(path))}: expected patterns as in .gitignore: {error}") from None


def _match(rules: list[_Rules], path: Path, is_folder: bool) -> str:
    """Return the pattern that excludes a path, with its file; "" if none does."""
    for rule in filter(None, reversed(rules)):
        folder, lines, spec = rule
        found = spec.check_file(path.relative_to(folder).as_posix() + "/" * is_folder)
        if found.index is not None:
            return f"{lines[found.index]} in {folder / IGNORE}" if found.include else ""
    return ""


def _told(path: Path, pattern: str) -> str:
    return f"{shown(str(path))}: excluded by {pattern}: rename it or change the pattern"
