"""Classify uploaded pictures, one request at a time."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np

from cifar10 import params, paths
from cifar10.app import limits, png
from cifar10.app.exceptions import BusyError, UnreadableError
from cifar10.app.uploads import Upload
from cifar10.data import images
from cifar10.evaluation import predictions
from cifar10.predict import predictor
from cifar10.predict.predictor import Classifier


class PredictionService:
    """The trained models on disk: loaded on first use, loaded again after their files change.

    All methods belong to one event loop. A worker thread loads the models, decodes pictures and predicts, for
    one request at a time, so that memory holds one decoded picture and the loop stays free.
    """

    def __init__(self) -> None:
        self._turn = anyio.CapacityLimiter(1)
        self._requests = 0
        self._stamps: dict[Path, int | None] = {}
        self._loaded: Classifier | None = None

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Count a request from before its body is read until its answer is known.

        Raises:
            BusyError: `limits.REQUESTS` are counted already.
        """
        if self._requests >= limits.REQUESTS:
            raise BusyError(f"the server works on {limits.REQUESTS} requests already")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    async def models(self) -> Classifier:
        """Give the models.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        return await anyio.to_thread.run_sync(self._current, limiter=self._turn)

    async def classify(self, files: Sequence[Upload], deadline: float, preview: bool) -> dict[str, Any]:
        """Classify the pictures of a request as one batch.

        Args:
            files: at least one.
            deadline: on the clock of `time.monotonic`, in seconds.
            preview: add to each image the picture that the models see, a PNG as a data URL.

        Returns:
            The content of `cifar10-classify --json`.

        Raises:
            BusyError: the deadline passes first.
            UnreadableError: no file is a picture.
            UserError: as for `models`.
        """
        with anyio.move_on_after(deadline - time.monotonic()):
            return await anyio.to_thread.run_sync(
                self._classify, files, deadline, preview, limiter=self._turn
            )
        raise _late()

    def _classify(self, files: Sequence[Upload], deadline: float, preview: bool) -> dict[str, Any]:
        classifier = self._current()
        names, pictures, unreadable = [], [], []
        for file in files:
            if time.monotonic() > deadline:
                raise _late()
            try:
                pictures.append(images.read(file.content, name=file.name, max_bytes=limits.MAX_BYTES))
                names.append(file.name)
            except images.PictureError as error:
                unreadable.append({"image": file.name, "reason": str(error)})
        if not pictures:
            raise UnreadableError(unreadable)
        found = classifier.classify(np.stack(pictures))
        content = predictions.content(names, classifier.detectors, found, {})
        content["unreadable"] = unreadable  # a list: two files may have the same name
        if preview:
            for image, picture in zip(content["images"], pictures, strict=True):
                image["preview"] = png.data_url(picture)
        return content

    def _current(self) -> Classifier:
        """Give the models that are on disk now."""
        now = _stamps()
        if self._loaded is None or now != self._stamps:
            self._loaded = None  # if loading fails, the next request tries again
            self._loaded, self._stamps = predictor.load(), now
        return self._loaded


def _late() -> BusyError:
    return BusyError(f"no answer within {limits.SECONDS:g} s; send fewer pictures, or try again later")


def _stamps() -> dict[Path, int | None]:
    """Give the modification time, in nanoseconds, of every file that the answers depend on."""
    names = params.load().models
    files = [paths.PARAMS, *(path(name) for name in names for path in (paths.model, paths.novelty))]
    return {path: path.stat().st_mtime_ns if path.exists() else None for path in files}
