"""Download the weights of bases that params.yaml names by their address."""

from collections.abc import Iterator
from pathlib import Path

import pooch

from cifar10 import params, paths
from cifar10.base_options import Base
from cifar10.data import download
from cifar10.errors import UserError


def missing(chosen: params.Params) -> bool:
    """Tell whether a file is missing; the training checks the content."""
    return any(not path.is_file() for _, _, path in _named(chosen))


def place(chosen: params.Params) -> None:
    """Bring the files to data/raw; delete those that params.yaml does not name.

    Raises:
        UserError: an address does not serve the file with its SHA-256; the message names the key.
    """
    limits = download.Limits(chosen.data.cifar10.minimum_rate, chosen.data.cifar10.window)
    wanted = {path: (key, base) for key, base, path in _named(chosen)}
    for path, (key, base) in wanted.items():
        if not path.is_file() or pooch.file_hash(str(path)) != base.sha256:
            try:
                new = download.fetch([str(base.address)], base.sha256, paths.PARTIAL / path.name, limits)
            except UserError as error:
                raise UserError(f"{key}: {' '.join(str(error).split())}") from None
            path.parent.mkdir(parents=True, exist_ok=True)
            new.replace(path)
    folder = paths.base_weights("", "").parent
    for old in {*folder.glob("*")} - wanted.keys():
        old.unlink()
    if folder.exists() and not wanted:
        folder.rmdir()  # the output does not depend on earlier runs


def _named(chosen: params.Params) -> Iterator[tuple[str, Base, Path]]:
    """Yield the key, the base and the file of each base with an address."""
    for name, model in chosen.models.items():
        if model.base and model.base.address and (path := model.base.file):
            yield f"{paths.PARAMS}: models.{name}.base.{model.base.name}.weights", model.base, path
