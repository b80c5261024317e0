"""Classify uploaded pictures."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
from starlette.exceptions import HTTPException

from cifar10 import image_size
from cifar10.app import explanation, png, request_limits
from cifar10.app.batching import BatchingPredictor
from cifar10.app.exceptions import BusyError, UnreadableError, late
from cifar10.app.inspection import Inspector
from cifar10.app.recorded_mistakes import RecordedMistakes
from cifar10.app.uploads import Upload
from cifar10.data import images
from cifar10.errors import UserError
from cifar10.evaluation import predictions
from cifar10.names import shown
from cifar10.predict.model_folder import HERE, ModelFolder
from cifar10.predict.predictor import Classifier


class PredictionService:
    """Answers of the trained models on disk.

    Call the methods from one event loop; worker threads decode and predict. Pictures are decoded one at a
    time, which limits the memory.
    """

    def __init__(self, seed: str | None = None, folder: ModelFolder = HERE) -> None:
        """Prepare the service.

        Args:
            seed: as for `predictor.load`.
            folder: as for `predictor.load`.
        """
        self.folder = folder
        self._predictor = BatchingPredictor(seed, folder)
        self.mistakes = RecordedMistakes(seed, folder)
        self.inspector = Inspector(self._predictor, self.mistakes)
        self._decoding = anyio.CapacityLimiter(1)
        self._requests = 0

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Count a request from before its body is read until its answer is known.

        Raises:
            BusyError: `request_limits.REQUESTS` requests are in progress.
        """
        if self._requests >= request_limits.REQUESTS:
            raise BusyError(
                f"the server works on {request_limits.REQUESTS} requests already; try again later"
            )
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images that the models take; those of CIFAR-10 if that is unknown."""
        try:
            return self._predictor.size
        except UserError:  # the answers say what is wrong
            return image_size.CIFAR10

    async def models(self) -> Classifier:
        """Return the models.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        return await self._predictor.models()

    async def classify(self, files: Sequence[Upload], deadline: float, preview: bool) -> dict[str, Any]:
        """Classify the pictures of a request.

        Args:
            files: at least one.
            deadline: on the clock of `time.monotonic`, in seconds.
            preview: add to each image the picture that the models see, a PNG as a data URL.

        Returns:
            The content of `cifar10-classify --json`.

        Raises:
            BusyError: the deadline passes before the answer is known.
            UnreadableError: no file is a picture.
            UserError: as for `models`.
        """
        with anyio.move_on_after(deadline - time.monotonic()):
            names, pictures, warnings, unreadable = await anyio.to_thread.run_sync(
                _decode, files, deadline, self._predictor, limiter=self._decoding
            )
            classifier, found = await self._predictor.predict(np.stack(pictures))
            about = (classifier.seeds, classifier.detectors, classifier.temperatures)
            content = predictions.content(names, *about, found, {})
            content["unreadable"] = unreadable  # a list: two files may have the same name
            for image, texts in zip(content["images"], warnings, strict=True):
                image["warnings"] = texts
            if preview:
                for image, picture in zip(content["images"], pictures, strict=True):
                    image["preview"] = png.data_url(picture)
            return content
        raise late()

    async def explain(self, files: Sequence[Upload], deadline: float, model: str | None) -> dict[str, Any]:
        """Draw the saliency maps of the pictures of a request, of the class that each model gives them.

        Args:
            files: at least one.
            deadline: as for `classify`.
            model: the one to explain; None for all models.

        Returns:
            The fields of `schemas.Explanation`.

        Raises:
            HTTPException: 422, there is no such model.
            BusyError, UnreadableError, UserError: as for `classify`.
        """
        with anyio.move_on_after(deadline - time.monotonic()):
            known = [*(await self.models()).detectors]
            if model is not None and model not in known:
                raise HTTPException(422, f"no model {shown(model)!r}, expected one of {', '.join(known)}")
            names, pictures, _, unreadable = await anyio.to_thread.run_sync(
                _decode, files, deadline, self._predictor, limiter=self._decoding
            )
            classifier, found = await self._predictor.predict(np.stack(pictures))
            images = []
            for index, (name, picture) in enumerate(zip(names, pictures, strict=True)):
                maps = {}
                for each in found if model is None else [model]:
                    (label,) = found[each].top(index, 1)
                    values = await self._predictor.explain(classifier, each, picture, label)
                    maps[each] = explanation.content(classifier.classes[label], picture, values)
                images.append({"image": name, "maps": maps})
            return {"images": images, "unreadable": unreadable}
        raise late()


def _decode(
    files: Sequence[Upload], deadline: float, models: BatchingPredictor
) -> tuple[list[str], list[np.ndarray], list[list[str]], list[dict[str, str]]]:
    """Read files: names, pictures, warnings of the readable ones; an entry with the reason for each other."""
    names, pictures, warnings, unreadable = [], [], [], []
    size = models.size
    for file in files:
        if time.monotonic() > deadline:
            raise late()
        try:
            picture = images.decode(
                file.content,
                name=file.name,
                max_pixels=request_limits.MAX_PIXELS,
                max_bytes=request_limits.MAX_BYTES,
                size=size,
            )
            pictures.append(picture.pixels)
            names.append(file.name)
            warnings.append(picture.warnings)
        except images.PictureError as error:
            unreadable.append({"image": file.name, "reason": str(error)})
    if not pictures:
        raise UnreadableError(unreadable)
    return names, pictures, warnings, unreadable
