"""Read pictures from folders: train/<class>/* and test/<class>/*."""

import dataclasses
from pathlib import Path

import numpy as np

from cifar10 import progress
from cifar10.data import images, inputs
from cifar10.errors import UserError

LAYOUT = "expected pictures as train/<class>/* and test/<class>/*"


@dataclasses.dataclass(frozen=True)
class Listing:
    """Files of each split by class. Both splits have the same classes, sorted by name."""

    train: dict[str, list[Path]]
    test: dict[str, list[Path]]

    @property
    def paths(self) -> list[Path]:
        """All files, training first, by class and name."""
        return [path for split in (self.train, self.test) for paths in split.values() for path in paths]


def find(folder: Path) -> Listing:
    """List the pictures under `folder`; hidden files and those of a system are skipped.

    Raises:
        UserError: a folder is missing or empty, the classes of train and test differ, or a file stands in
            place of a folder or the reverse.
    """
    if not folder.is_dir():
        raise UserError(f"data.folder: {folder} is not a folder; {LAYOUT} in it")
    train, test = (_classes(folder / split) for split in ("train", "test"))
    only_train, only_test = sorted(train.keys() - test.keys()), sorted(test.keys() - train.keys())
    if only_train or only_test:
        found = [f"{path} not found" for path in (folder / "test" / name for name in only_train)]
        found += [f"{path} not found" for path in (folder / "train" / name for name in only_test)]
        raise UserError(f"data.folder: train and test must have the same classes: {', '.join(found)}")
    if len(train) < 2:
        raise UserError(f"data.folder: expected at least two classes in {folder}, found {', '.join(train)}")
    return Listing(train, test)


def _classes(split: Path) -> dict[str, list[Path]]:
    if not split.is_dir():
        raise UserError(f"data.folder: {split} not found; {LAYOUT} in {split.parent}")
    classes = {path.name: _visible(path) for path in _visible(split)}
    if not classes:
        raise UserError(f"data.folder: {split} is empty; {LAYOUT} in {split.parent}")
    for name, paths in classes.items():
        if not name.isprintable():
            raise UserError(f"data.folder: {split}: the class name {name!r} has unprintable characters")
        if not paths:
            raise UserError(f"data.folder: no pictures in {split / name}; {LAYOUT}")
        if odd := [path for path in paths if not path.is_file()]:
            raise UserError(f"data.folder: {odd[0]} is not a file; {LAYOUT}, without subfolders")
    return classes


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"data.folder: {folder} is not a folder; {LAYOUT}")
    visible = (path for path in folder.iterdir() if not inputs.is_skipped(path.name))
    return sorted(visible, key=lambda path: path.name)  # the order of Path objects differs on Windows


def read(listing: Listing) -> images.Images:
    """Read all pictures, by class and name.

    Raises:
        UserError: pictures are unreadable; the message has a line for each.
    """
    pictures, unreadable = [], []
    for path in progress.bar(iterable=listing.paths, desc="reading pictures", unit="pictures"):
        try:
            pictures.append(images.read(path))
        except images.PictureError as error:
            unreadable.append(f"\n  {error}")
    if unreadable:
        raise UserError(
            f"data.folder: {len(unreadable)} unreadable, repair or remove them:{''.join(unreadable)}"
        )
    train_labels, test_labels = (
        np.repeat(np.arange(len(split)), [len(paths) for paths in split.values()])
        for split in (listing.train, listing.test)
    )
    return images.Images(
        class_names=list(listing.train),
        train_images=np.stack(pictures[: len(train_labels)]),
        train_labels=train_labels.astype(np.int64),
        test_images=np.stack(pictures[len(train_labels) :]),
        test_labels=test_labels.astype(np.int64),
    )
