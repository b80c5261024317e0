"""Which class, split and group each picture of a folder has, in each of the layouts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cifar10.data import folder_layout, labels_file, splitting
from cifar10.data.class_names import composed
from cifar10.errors import UserError
from cifar10.names import shown


@dataclass(frozen=True)
class Layout:
    """Settings in `data` of params.yaml, by their names there."""

    test_fraction: float | None = None
    labels: str | None = None
    groups: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Entry:
    """A picture; `split` is train, test, or None if it will be drawn, `group` is None without groups."""

    path: Path
    label: str
    split: str | None
    group: str | None


def entries(folder: Path, layout: Layout) -> list[Entry]:
    """List the pictures below `folder` by class and path, training pictures first.

    Raises:
        UserError: the layout is another one, or two settings contradict each other.
    """
    if layout.labels is not None:
        found = [
            Entry(path, label, split, None if group is None else _name(group or None, path))
            for path, label, split, group in labels_file.read(layout.labels, folder)
        ]
        found.sort(key=lambda entry: entry.label)  # the rows of a class stay sorted by path
        file, drawn = shown(str(folder / layout.labels)), layout.test_fraction is not None
        if drawn and found[0].split is not None:
            raise UserError(f"data.test_fraction: must be null: {file} has a column split")
        if not drawn and found[0].split is None:
            raise UserError(f"data.test_fraction: expected a number: {file} has no column split")
    elif layout.test_fraction is not None:
        found = [
            Entry(path, name, None, None)
            for name, paths in folder_layout.classes(folder).items()
            for path in paths
        ]
    else:
        found = [
            Entry(path, name, split, None)
            for split in folder_layout.SPLITS
            for name, paths in folder_layout.pictures(folder, split).items()
            for path in paths
        ]
    return _grouped(found, folder, layout)


def _grouped(found: list[Entry], folder: Path, layout: Layout) -> list[Entry]:
    """Add the groups of a pattern; a picture whose path it does not match is a group of its own."""
    if layout.groups is None:
        return found
    if found[0].group is not None:
        raise UserError("data.groups: must be null: the file of data.labels has a column group")
    pattern, names = re.compile(layout.groups), []
    for entry in found:
        path = composed(entry.path.relative_to(folder).as_posix())
        match = pattern.search(path)
        names.append(None if match is None else match.group(1 if pattern.groups else 0))
    if not any(name is not None for name in names):
        path = found[0].path.relative_to(folder).as_posix()
        where = shown(str(folder))
        raise UserError(f"data.groups: {layout.groups!r} matches no path in {where}, such as {shown(path)}")
    return [replace(entry, group=_name(name, entry.path)) for entry, name in zip(found, names, strict=True)]


def _name(group: str | None, path: Path) -> str:
    """Name a group; a picture without one is a group of its own."""
    return f"picture {path}" if group is None else f"group {group}"


def split(found: list[Entry], layout: Layout) -> list[Entry]:
    """Draw the test pictures if they are not given; no group is in both splits.

    Raises:
        UserError: a class or a split would be empty, or a given split divides a group.
    """
    if found and found[0].split is None:
        names = sorted({entry.label for entry in found})
        labels = np.array([names.index(entry.label) for entry in found])
        _, test = splitting.split(labels, layout.test_fraction or 0, layout.seed, ids(found), "test")
        drawn = {*test.tolist()}
        return [
            replace(entry, split="test" if place in drawn else "train") for place, entry in enumerate(found)
        ]
    of_train, of_test = (
        {entry.group for entry in found if entry.split == name and entry.group is not None}
        for name in folder_layout.SPLITS
    )
    if both := sorted(of_train & of_test):
        name = both[0].removeprefix("group ")
        more = f" and {len(both) - 1:,} more" if len(both) > 1 else ""
        raise UserError(
            f"data.groups: pictures of {shown(name)!r}{more} are in train and in test: move them to one split"
        )
    return found


def ids(found: Sequence[Entry]) -> np.ndarray | None:
    """Return a number per group, in the order of first pictures, int64 (N,); None without groups."""
    if not found or found[0].group is None:
        return None
    first: dict[str | None, int] = {}
    return np.array([first.setdefault(entry.group, len(first)) for entry in found], np.int64)
