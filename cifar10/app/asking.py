"""The models behind the page: loaded when they are there, asked about files from anybody."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

# before TensorFlow, from which `startup` hides what these need
from cifar10 import answers, images, startup
from cifar10.errors import UserError

with startup.tensorflow():
    from cifar10 import classifier, models

    models.configure(seed=0)  # nothing is drawn; one thread, for the same bits as `evaluate`

MAX_BYTES = 20_000_000  # of a file
MAX_PIXELS = 50_000_000  # of a picture, unpacked
MAX_FILES = 100  # at once


class Asking:
    """Models that may not be there yet: `error` says what to run until they are."""

    def __init__(self) -> None:
        self.error = ""
        self._classifier: classifier.Classifier | None = None
        self.ready()

    def ready(self) -> bool:
        """Load the models unless that is done; tell whether they can be asked."""
        if self._classifier is None:
            try:
                self._classifier = classifier.load()
                self.error = ""
            except UserError as error:
                self.error = str(error)
        return self._classifier is not None

    @property
    def classes(self) -> list[str]:
        """Names of the classes, none without models."""
        return self._classifier.classes if self._classifier else []

    def ask(self, pictures: np.ndarray) -> dict[str, answers.Answers]:
        """Ask every model about uint8 (N, 32, 32, 3), as `Classifier.classify` does; only if `ready`."""
        assert self._classifier is not None  # noqa: S101  (whoever calls has asked)
        return self._classifier.classify(pictures)


def read(paths: Sequence[Path]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read uploaded files, and delete them whatever they are.

    Returns:
        Pictures, uint8 (32, 32, 3), by the name to show; and a line for each file that is none.
    """
    found: dict[str, np.ndarray] = {}
    refused = [f"{path.name}: more than {MAX_FILES} files at once" for path in paths[MAX_FILES:]]
    for path in paths[:MAX_FILES]:
        try:
            name = path.name if path.name not in found else f"{path.name} ({len(found) + 1})"
            content = _content(path)
            found[name] = images.read(content, name=name, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES)
        except images.PictureError as error:
            refused.append(str(error))
    for path in paths:
        path.unlink(missing_ok=True)
    return found, refused


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)  # one more than allowed shows that it is too much
