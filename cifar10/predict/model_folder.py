"""Folders of trained models: a checkout, or what `make publish` writes.

A published folder has no subfolders, so that any static web server or the files of a release can hold it:
params.yaml with the published models and seeds, NAME.seed_N.h5 and NAME.seed_N.ood.npz of each training,
about.json with the origin of the models, and SHA256SUMS.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from cifar10 import params, paths
from cifar10.errors import UserError
from cifar10.params import Params

SUMS = "SHA256SUMS"  # lines of sha256sum: digest, two spaces, name
ABOUT = "about.json"  # data, revision
LINE = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9][\w.-]{0,199})", re.ASCII)
OPTION = "--models"


@dataclass(frozen=True)
class ModelFolder:
    """Trained models on disk.

    Attributes:
        params: the parameter file that describes them.
        root: the folder.
        flat: whether it is a published folder; otherwise it has a subfolder per model.
    """

    params: Path = paths.PARAMS
    root: Path = paths.MODELS
    flat: bool = False

    @property
    def here(self) -> bool:
        """Whether these are the models of the working directory."""
        return self == HERE

    @property
    def advice(self) -> str:
        """Say how to get files that are missing."""
        if self.flat:
            return f"fetch all files of {SUMS} again"
        at = "" if self.here else f" in {self.root.parent}"
        return f"run `make pull` or `dvc repro`{at}"

    def model(self, name: str, seed: int) -> Path:
        """Path of a trained model."""
        return self._file(name, f"seed_{seed}.h5")

    def ood_detector(self, name: str, seed: int) -> Path:
        """Path of the OOD detector of a trained model."""
        return self._file(name, f"seed_{seed}.ood.npz")

    def _file(self, name: str, file: str) -> Path:
        return self.root / f"{name}.{file}" if self.flat else self.root / name / file

    def load_params(self) -> Params:
        """Read the parameter file.

        Raises:
            UserError: it is missing or invalid.
        """
        if self.here and not self.params.exists():
            raise UserError(
                f"{self.params} not found in {Path.cwd()}: run this from the repository's root folder, or "
                f"name a folder or URL of trained models with {OPTION}"
            )
        return params.load(self.params)

    def check(self, names: Iterable[str], seeds: Iterable[int]) -> None:
        """Check that the files of trainings exist and, in a published folder, that they have their SHA-256.

        Raises:
            UserError: a file is missing or damaged.
        """
        if self.here:
            return  # whoever opens a file says how to get it
        pairs = product(names, seeds)
        files = [path for each in pairs for path in (self.model(*each), self.ood_detector(*each))]
        if absent := [path for path in files if not path.exists()]:
            raise UserError(f"{absent[0]} not found: {self.advice}")
        sums = self.root / SUMS
        if not self.flat or not sums.exists():
            return
        recorded = parse_sums(sums.read_bytes(), str(sums))
        for path in (self.params, *files):
            if path.name not in recorded:
                raise UserError(f"{sums} does not list {path.name}: {self.advice}")
            if sha256(path) != recorded[path.name]:
                raise UserError(f"{path} does not have the SHA-256 of {SUMS}: {self.advice}")


HERE = ModelFolder()


def find(text: str | None, models: Iterable[str] = ()) -> ModelFolder:
    """Return the folder that a user names.

    Args:
        text: a published folder or its URL, a checkout or its folder `models`; None for the working
            directory.
        models: names of the models to fetch from a URL; all of them if empty.

    Raises:
        UserError: there are no models, or the URL does not deliver them intact.
    """
    if text is None:
        return HERE
    if text.startswith(("http://", "https://")):
        from cifar10.predict import model_download

        return published(model_download.fetch(text, set(models)))
    folder = Path(text)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing there"
        raise UserError(f"{OPTION} {text}: expected a folder or an http(s) URL, found {found}")
    if (folder / paths.PARAMS).exists():
        if (folder / paths.MODELS).is_dir():
            return _checkout(folder, folder / paths.MODELS)
        return published(folder)
    parent = Path(os.path.normpath(folder.absolute())).parent
    if (parent / paths.PARAMS).exists():
        return _checkout(parent, folder)
    raise UserError(
        f"{OPTION} {text}: expected a folder from `make publish` or a checkout, found no {paths.PARAMS} in "
        "or beside it"
    )


def _checkout(folder: Path, root: Path) -> ModelFolder:
    if root.resolve() == paths.MODELS.resolve():
        return HERE
    return ModelFolder(folder / paths.PARAMS, root)


def published(folder: Path) -> ModelFolder:
    """Return a published folder."""
    return ModelFolder(folder / paths.PARAMS, folder, flat=True)


def parse_sums(content: bytes, name: str) -> dict[str, str]:
    """Read SHA-256 by file name from the lines of sha256sum; `name` is for errors.

    Raises:
        UserError: a line has another form, or a file name could lead out of the folder.
    """
    lines = content.decode("ascii", "replace").splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    if not lines or None in matches:
        raise UserError(f"{name}: expected lines of a SHA-256 and a file name, as `make publish` writes them")
    return {match[2]: match[1] for match in matches if match}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
