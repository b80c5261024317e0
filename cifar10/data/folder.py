"""Read the pictures of a folder, by class and split."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cifar10 import params, progress
from cifar10.data import class_names, folder_layout, images, large_array, layout, tracking
from cifar10.data.exclusion import Exclusion
from cifar10.data.folder_layout import LAYOUT
from cifar10.data.layout import Layout
from cifar10.errors import UserError
from cifar10.names import shown

FOLDERS = Layout()  # train/ and test/


@dataclasses.dataclass(frozen=True)
class Listing:
    """Pictures of each split by class. Both splits have the same classes, sorted by name.

    Attributes:
        train: training pictures by class.
        test: test pictures by class.
        excluded: pictures that `data.exclude` leaves out, relative to the folder, with slashes.
        train_groups: int64 (N,), the groups of the training pictures; None without groups.
    """

    train: dict[str, list[Path]]
    test: dict[str, list[Path]]
    excluded: list[str]
    train_groups: np.ndarray | None = None

    @property
    def paths(self) -> list[Path]:
        """All files, training first, by class and name."""
        return [path for split in (self.train, self.test) for paths in split.values() for path in paths]


def of(data: params.Data) -> Listing:
    """List the pictures of `data.folder` with its settings in params.yaml; errors as of `find`."""
    settings = Layout(data.test_fraction, data.labels, data.groups, data.seed)
    return find(Path(data.folder), data.exclude, settings)


def find(folder: Path, exclude: Sequence[str] = (), settings: Layout = FOLDERS) -> Listing:
    """List the pictures under `folder`; hidden files and those of a system are skipped.

    A class whose pictures are all left out is no class.

    Args:
        folder: the folder of pictures.
        exclude: paths relative to the folder or patterns, as for `Exclusion`.
        settings: of the layout; by default, there are the folders `train` and `test`.

    Raises:
        UserError: a folder is missing or empty, the classes of train and test differ, a file stands in
            place of a folder or the reverse, DVC would not see a part, or a setting does not fit.
    """
    if not folder.is_dir():
        missing = f"data.folder: {shown(str(folder))} is not a folder; {LAYOUT} in it"
        raise UserError(f"{missing}{folder_layout.in_queue(folder)}")
    found = layout.entries(folder, settings)
    tracking.check(folder, Path.cwd())
    exclusion = Exclusion(exclude, folder)
    left = [exclusion.covers(entry.path.relative_to(folder)) for entry in found]
    exclusion.check_used(folder)
    excluded = [entry.path for entry, out in zip(found, left, strict=True) if out]
    found = [entry for entry, out in zip(found, left, strict=True) if not out]
    classes = sorted({entry.label for entry in found})
    if len(classes) < 2:
        raise UserError(
            f"data.folder: expected at least two classes in {shown(str(folder))}, found "
            f"{', '.join(classes) or 'none'}; a class of other pictures can be the second"
        )
    found = layout.split(found, settings)
    train, test = (_by_class(found, name) for name in folder_layout.SPLITS)
    class_names.check_same([*train], [*test], folder, settings.labels)
    of_train = sorted((entry for entry in found if entry.split == "train"), key=lambda entry: entry.label)
    names = [path.relative_to(folder).as_posix() for path in excluded]
    return Listing(train, test, names, layout.ids(of_train))


def _by_class(found: Sequence[layout.Entry], split: str) -> dict[str, list[Path]]:
    paths: dict[str, list[Path]] = {}
    for entry in found:
        if entry.split == split:
            paths.setdefault(entry.label, []).append(entry.path)
    return {name: paths[name] for name in sorted(paths)}


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
        train_groups=listing.train_groups,
    )
