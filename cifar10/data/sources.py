"""Image sources: the CIFAR-10 archive, scikit-learn's digits, or folders of pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pooch

from cifar10 import params, paths, progress
from cifar10.data import archive, class_names, folder, own_archive
from cifar10.data.images import Images
from cifar10.errors import UserError


def load(data: params.Data) -> Images:
    """Read the images of `data.source`.

    Raises:
        UserError: the images are missing or invalid.
    """
    if data.source == "digits":
        return digits()
    if data.source == "folder":
        return folder.read(folder.of(data), data.size)
    own_archive.check()
    try:
        with paths.ARCHIVE.open("rb") as file:
            return archive.read(file, str(paths.ARCHIVE))
    except FileNotFoundError:
        raise UserError(f"{paths.ARCHIVE} not found: run `dvc repro` to download it") from None


def describe(data: params.Data) -> dict[str, Any]:
    """Return facts about a source; for cifar10, `official` tells whether the archive has the expected hash.

    Raises:
        UserError: data.folder does not have the expected layout.
    """
    if data.source == "cifar10":
        digest = pooch.file_hash(str(paths.ARCHIVE))
        return {
            "source": "cifar10",
            "file": paths.ARCHIVE.name,
            "bytes": paths.ARCHIVE.stat().st_size,
            "sha256": digest,
            "official": digest == data.cifar10.sha256,
        }
    if data.source == "digits":
        return {"source": "digits", "origin": "sklearn.datasets.load_digits", "images": 1797}
    listing = folder.of(data)
    for note in folder.notes(Path(data.folder), listing):
        progress.log(f"note: {note}")
    return {"source": "folder"}


def excluded(data: params.Data) -> list[str]:
    """Return the pictures that `data.exclude` leaves out, relative to data.folder; none in other sources."""
    return folder.of(data).excluded if data.source == "folder" else []


def digits() -> Images:
    """Enlarge scikit-learn's 1,797 handwritten digits from 8x8 grey values 0..16 to 32x32 RGB 0..255.

    A fixed fifth of every class is the test split. The order is kept.
    """
    from sklearn.datasets import load_digits  # here: loading takes a second
    from sklearn.model_selection import train_test_split

    content = load_digits()
    grey = np.rint(content.images * (255 / 16)).astype(np.uint8)
    pictures = np.repeat(grey.repeat(4, axis=1).repeat(4, axis=2)[..., np.newaxis], 3, axis=3)
    labels = content.target.astype(np.int64)
    train, test = (
        np.sort(part)
        for part in train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=0)
    )
    return Images(list(class_names.DIGITS), pictures[train], labels[train], pictures[test], labels[test])
