"""Ask the trained models about pictures from a page, one at a time."""

import threading
from pathlib import Path

import numpy as np

from cifar10 import params, paths
from cifar10.app.limits import MAX_BYTES
from cifar10.data import images
from cifar10.evaluation.predictions import Answers
from cifar10.predict import predictor
from cifar10.predict.predictor import Classifier


class Asker:
    """The models that lie on disk now: loaded when first asked, and again when their files change."""

    def __init__(self) -> None:
        self._one = threading.Lock()  # a picture at a time, so that memory stays bounded by one
        self._seen: dict[Path, int | None] = {}
        self._loaded: Classifier | None = None

    def models(self) -> Classifier:
        """Give the models.

        Raises:
            UserError: one is missing or damaged; says what to run.
        """
        with self._one:
            return self._current()

    def ask(self, content: bytes, name: str) -> tuple[np.ndarray, Classifier, dict[str, Answers]]:
        """Ask every model what a picture shows, exactly as `cifar10-classify` does.

        Args:
            content: of a file in any format that `images.read` takes.
            name: what an error calls the picture.

        Returns:
            The picture as the models see it, uint8 (32, 32, 3); the models; their answers by name.

        Raises:
            PictureError: it is no picture, or too large.
            UserError: as for `models`.
        """
        with self._one:
            asked = self._current()
            picture = images.read(content, name=name, max_bytes=MAX_BYTES)
            return picture, asked, asked.classify(picture[None])

    def _current(self) -> Classifier:
        now = _stamps()
        if self._loaded is None or now != self._seen:
            self._loaded = None  # what is on disk counts, even if it cannot be loaded
            self._loaded, self._seen = predictor.load(), now
        return self._loaded


def _stamps() -> dict[Path, int | None]:
    """Give the time of the last change, in nanoseconds, of every file that the answers depend on."""
    names = params.load().models
    own = [path(name) for name in names for path in (paths.model, paths.ood_detector)]
    return {path: path.stat().st_mtime_ns if path.exists() else None for path in [paths.PARAMS, *own]}
