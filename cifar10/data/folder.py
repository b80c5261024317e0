"""Read pictures from folders: train/<class>/* and test/<class>/*."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cifar10 import progress
from cifar10.data import class_names, folder_layout, images, large_array, tracking
from cifar10.data.exclusion import Exclusion
from cifar10.data.folder_layout import LAYOUT
from cifar10.errors import UserError
from cifar10.names import shown


@dataclasses.dataclass(frozen=True)
class Listing:
    """Files of each split by class. Both splits have the same classes, sorted by name.

    Attributes:
        train: training pictures by class.
        test: test pictures by class.
        excluded: pictures that `data.exclude` leaves out, relative to the folder, with slashes.
    """

    train: dict[str, list[Path]]
    test: dict[str, list[Path]]
    excluded: list[str]

    @property
    def paths(self) -> list[Path]:
        """All files, training first, by class and name."""
        return [path for split in (self.train, self.test) for paths in split.values() for path in paths]


def find(folder: Path, exclude: Sequence[str] = ()) -> Listing:
    """List the pictures under `folder`; hidden files and those of a system are skipped.

    A class whose pictures are all left out in both splits is no class.

    Args:
        folder: the folder of `train` and `test`.
        exclude: paths relative to the folder or patterns, as for `Exclusion`.

    Raises:
        UserError: a folder is missing or empty, the classes of train and test differ, a file stands in
            place of a folder or the reverse, or DVC would not see a part.
    """
    if not folder.is_dir():
        missing = f"data.folder: {shown(str(folder))} is not a folder; {LAYOUT} in it"
        raise UserError(f"{missing}{folder_layout.in_queue(folder)}")
    splits = [folder_layout.pictures(folder, name) for name in folder_layout.SPLITS]
    tracking.check(folder, Path.cwd())
    exclusion, excluded = Exclusion(exclude, folder), []
    for split in splits:
        for name, paths in [*split.items()]:
            left = {path for path in paths if exclusion.covers(path.relative_to(folder))}
            excluded += [path.relative_to(folder).as_posix() for path in paths if path in left]
            split[name] = [path for path in paths if path not in left]
            if left == set(paths):
                del split[name]
    exclusion.check_used(folder)
    train, test = splits
    class_names.check_same([*train], [*test], folder)
    if len(train) < 2:
        found = ", ".join(train) or "none"
        raise UserError(
            f"data.folder: expected at least two classes in {shown(str(folder))}, found {found}; a class "
            "of other pictures can be the second"
        )
    return Listing(train, test, excluded)


def notes(folder: Path, listing: Listing) -> list[str]:
    """Describe what may surprise, as sentences: folders that are not used, names not for every system."""
    return [*folder_layout.unused(folder), *class_names.unportable([*listing.train])]


def read(listing: Listing, size: images.Size = images.SIZE, workers: int | None = None) -> images.Images:
    """Read all pictures, by class and name. The result does not depend on the number of threads.

    Args:
        listing: from `find`.
        size: height and width of the images.
        workers: threads; None for one per processor core.

    Raises:
        UserError: pictures are unreadable; the message has a line for each, and the way to leave them out.
    """
    found, unreadable = listing.paths, []
    pixels = large_array.make((len(found), *size, 3))
    read = images.read_all(found, size=size, workers=workers or os.cpu_count() or 1)
    bar = progress.bar(iterable=read, total=len(found), desc="reading pictures", unit="pictures")
    for place, (path, picture) in enumerate(zip(found, bar, strict=True)):
        if isinstance(picture, images.PictureError):
            unreadable.append(f"\n  {picture}")
            continue
        pixels[place] = picture.pixels
        for text in picture.warnings:
            images.warn(str(path), text)
    if unreadable:
        raise UserError(
            f"data.folder: {len(unreadable)} unreadable: repair or remove them, or list them in data.exclude "
            f"of params.yaml, as in [train/cat/1.png]:{''.join(unreadable)}"
        )
    train_labels, test_labels = (
        np.repeat(np.arange(len(split)), [len(paths) for paths in split.values()])
        for split in (listing.train, listing.test)
    )
    return images.Images(
        class_names=list(listing.train),
        train_images=pixels[: len(train_labels)],
        train_labels=train_labels.astype(np.int64),
        test_images=pixels[len(train_labels) :],
        test_labels=test_labels.astype(np.int64),
    )
