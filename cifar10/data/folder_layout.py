"""The layout of a folder of pictures, train/<class>/* and test/<class>/*, and hints for any other layout."""

from collections.abc import Iterator
from pathlib import Path

from cifar10.data import class_names, tracking
from cifar10.data.inputs import is_skipped
from cifar10.errors import UserError
from cifar10.names import shown

LAYOUT = "expected pictures as train/<class>/* and test/<class>/*"
CLASSES = "expected pictures as <class>/* with data.test_fraction"
SPLITS = ("train", "test")
OTHER = ("val", "valid", "validation", "dev", "eval")  # usual names of a third split
MANY = 3  # folders that a hint names
EXPERIMENTS = (".dvc", "tmp", "exps")  # where DVC runs experiments outside of the working tree


def pictures(folder: Path, name: str) -> dict[str, list[Path]]:
    """Return the files of a split by class, sorted by name.

    Raises:
        UserError: the layout is another one.
    """
    split = folder / name
    if tracking.is_link(split) and split.is_dir():
        raise UserError(_linked(split))
    if not split.is_dir():
        where = f"data.folder: {shown(str(split))} not found; {LAYOUT} in {shown(str(folder))}"
        raise UserError(f"{where}{hint(folder)}{in_queue(folder)}")
    inside = _visible(split)
    if not inside:
        raise UserError(f"data.folder: {shown(str(split))} is empty; {LAYOUT} in {shown(str(folder))}")
    return _classes(inside, LAYOUT)


def classes(folder: Path) -> dict[str, list[Path]]:
    """Return the files of a folder without splits by class, sorted by name; files beside classes are skipped.

    Raises:
        UserError: the layout is another one.
    """
    if _has_splits(folder):
        raise UserError(
            f"data.test_fraction: {shown(str(folder))} has the folders train and test: set it to null, "
            "or move the class folders out of them"
        )
    inside = [path for path in _visible(folder) if path.is_dir()]
    if not inside:
        raise UserError(f"data.folder: {shown(str(folder))} has no class folders; {CLASSES}")
    return _classes(inside, CLASSES)


def _classes(inside: list[Path], expected: str) -> dict[str, list[Path]]:
    for path in inside:
        if tracking.is_link(path) and path.is_dir():
            raise UserError(_linked(path))
        if not path.is_dir():
            raise UserError(f"data.folder: {shown(str(path))} is not a folder; {expected}")
    return {name: _files(path, expected) for name, path in class_names.by_name(inside).items()}


def in_queue(folder: Path) -> str:
    """Say, in an experiment of DVC's queue, why pictures that git ignores are missing."""
    here = Path.cwd().parts
    if not any(here[place:][:3] == EXPERIMENTS for place in range(len(here))):
        return ""
    if ".." in folder.parts:
        return "; an experiment runs in another folder: write data.folder as an absolute path"
    copies = " ".join(f"--copy-paths {shown(str(folder / split))}" for split in SPLITS)
    return (
        f"; an experiment has no files that git ignores: add `{copies}` to `dvc exp run`, or `dvc add` the "
        "folder and commit its .dvc file"
    )


def hint(folder: Path) -> str:
    """Say where the pictures probably are, as the rest of a sentence; "" if nothing is known."""
    inside = _folders(folder)
    with_splits = [path for path in inside if _has_splits(path)]
    by_case = {path.name.lower(): path.name for path in inside}
    if folder.name.lower() in SPLITS and _has_splits(folder.parent):
        return f"; one level too low: set data.folder to {shown(str(folder.parent))}"
    if len(with_splits) == 1:
        return f"; one level too high: set data.folder to {shown(str(with_splits[0]))}"
    if with_splits:
        named = ", ".join(shown(path.name) for path in with_splits[:MANY])
        return f"; found train and test inside of {named}: put the classes into train and test instead"
    if set(SPLITS) <= set(by_case):
        found = [by_case[split] for split in SPLITS if by_case[split] != split]
        return f"; rename {' and '.join(found)} to lower case" if found else ""
    if found := [path.name for path in inside if path.name not in SPLITS]:
        named = ", ".join(map(shown, found[:MANY])) + " ..." * (len(found) > MANY)
        return f"; found the folders {named}: if these are classes, set data.test_fraction"
    return ""


def unused(folder: Path) -> list[str]:
    """Describe folders beside train and test that look like a split, as sentences."""
    return [
        f"{shown(str(path))} is not used: validation images are drawn from train (data.validation_fraction)"
        for path in _folders(folder)
        if path.name.lower() in OTHER
    ]


def _has_splits(folder: Path) -> bool:
    return all((folder / split).is_dir() for split in SPLITS)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not is_skipped(path.name))
    except OSError:
        return []


def _files(folder: Path, expected: str) -> list[Path]:
    """List the files of a class, also in folders below it."""
    found = [*_below(folder)]
    if not found:
        raise UserError(f"data.folder: no pictures in {shown(str(folder))}; {expected}")
    return found


def _below(folder: Path) -> Iterator[Path]:
    for path in _visible(folder):
        if path.is_dir() and tracking.is_link(path):
            raise UserError(_linked(path))
        if path.is_dir():
            yield from _below(path)
        elif path.is_file() or tracking.is_link(path):
            yield path
        else:
            raise UserError(f"data.folder: {shown(str(path))} is neither a file nor a folder")


def _linked(path: Path) -> str:
    return (
        f"data.folder: {shown(str(path))} is a link to a folder, and DVC does not see changes behind it: "
        "move or copy the folder to this place, or set data.folder to the folder with train and test"
    )


def _visible(folder: Path) -> list[Path]:
    """List a folder, sorted by name in NFC: the same order on every system."""
    try:
        visible = [path for path in folder.iterdir() if not is_skipped(path.name)]
    except PermissionError:
        raise UserError(f"data.folder: no permission to read {shown(str(folder))}") from None
    return sorted(visible, key=lambda path: (class_names.composed(path.name), path.name))
