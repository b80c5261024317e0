"""One test image: the answer of a model, its saliency map, and the most similar training images."""

import weakref
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import numpy as np

from cifar10 import paths
from cifar10.app import explanation, request_limits
from cifar10.app.batching import BatchingPredictor
from cifar10.app.exceptions import late
from cifar10.app.file_cache import stamp
from cifar10.app.recorded_mistakes import Recorded, RecordedMistakes, address
from cifar10.data import dataset
from cifar10.errors import UserError
from cifar10.evaluation import nearest
from cifar10.evaluation.detector_fit import FeatureExtractor
from cifar10.predict.predictor import Classifier
from cifar10.report import results
from cifar10.training.models import PREDICTION_BATCH


class Inspector:
    """Inspects test images. Call it from one event loop.

    The features of the training images are computed at the first request for a model and kept until the
    models or the images change. Other requests take their turn between two batches.
    """

    def __init__(self, predictor: BatchingPredictor, mistakes: RecordedMistakes) -> None:
        self._predictor = predictor
        self._mistakes = mistakes
        self._computing = anyio.Lock()
        self._features: dict[str, np.ndarray] = {}
        self._owner: Callable[[], Classifier | None] = lambda: None  # the models of these features
        self._stamp: list[int | None] = []  # of their images

    async def inspect(self, name: str, index: int) -> dict[str, Any]:
        """Return the fields of `schemas.Inspection`.

        Args:
            name: of the model.
            index: of the test image.

        Raises:
            HTTPException: 422, there is no such model; 404, no such image.
            BusyError: no answer within the time limit.
            UserError: predictions, images or models are missing or do not fit one another.
        """
        with anyio.move_on_after(request_limits.SECONDS):
            found = await anyio.to_thread.run_sync(self._mistakes.of, name)
            picture = await anyio.to_thread.run_sync(self._mistakes.picture, "test", index)
            classifier = await self._predictor.models()
            if found.classes != classifier.classes or picture.shape[:2] != classifier.size:
                raise UserError(f"the models do not fit the images in {paths.PROCESSED}: run `dvc repro`")
            values = await self._predictor.explain(classifier, name, picture, int(found.predicted[index]))
            return {
                **_answer(found, index),
                "saliency": explanation.content(found.classes[found.predicted[index]], picture, values),
                "similar": await self._similar(classifier, name, picture),
            }
        raise late()

    async def _similar(self, classifier: Classifier, name: str, picture: np.ndarray) -> list[dict[str, Any]]:
        """Find the training images with the most similar features, of the first training of a model."""
        training, labels = await anyio.to_thread.run_sync(results.pictures, "train")
        compared = nearest.sample(len(training))
        extract = classifier.extractors[name][0]
        own = await self._predictor.take_turn(extract, picture[np.newaxis])
        async with self._computing:
            images = stamp([paths.images("train")])
            if self._owner() is not classifier or self._stamp != images:
                self._owner, self._stamp, self._features = weakref.ref(classifier), images, {}
            if name not in self._features:
                self._features[name] = await self._extract(extract, training, compared)
            others = self._features[name]
        rows, similarity = nearest.nearest(own.features[0], others)
        return [
            {
                "image": index,
                "actual": classifier.classes[labels[index]],
                "similarity": value,
                "picture": address("train", index),
            }
            for index, value in zip(compared[rows].tolist(), similarity.tolist(), strict=True)
        ]

    async def _extract(
        self, extract: FeatureExtractor, training: np.ndarray, compared: np.ndarray
    ) -> np.ndarray:
        def features(chosen: np.ndarray) -> np.ndarray:
            return extract(training[chosen]).features

        parts = []
        for start in range(0, len(compared), PREDICTION_BATCH):
            chosen = compared[start : start + PREDICTION_BATCH]
            parts.append(await self._predictor.take_turn(features, chosen))
        dataset.release(training)
        return np.concatenate(parts)


def _answer(found: Recorded, index: int) -> dict[str, Any]:
    return {
        "model": found.model,
        "image": index,
        "actual": found.classes[found.actual[index]],
        "predicted": found.classes[found.predicted[index]],
        "probabilities": dict(zip(found.classes, found.probabilities[index].tolist(), strict=True)),
        "picture": address("test", index),
    }
