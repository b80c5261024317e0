"""Predict the pictures of all waiting requests in one pass of the models."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
import numpy as np

from cifar10.app.current_models import CurrentModels
from cifar10.app.exceptions import BusyError
from cifar10.evaluation.predictions import Answers
from cifar10.predict.model_folder import HERE, ModelFolder
from cifar10.predict.predictor import Classifier

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@dataclasses.dataclass(eq=False)
class Batch:
    """Pictures of one request, uint8 (N, H, W, 3), with its answers, or an error, after the pass."""

    pictures: np.ndarray
    found: tuple[Classifier, dict[str, Answers]] | None = None
    error: Exception | None = None


class BatchingPredictor:
    """The models on disk, one pass at a time, in a worker thread.

    A pass costs the same for 1 picture as for 64, and an answer does not depend on the other pictures. A
    pass therefore takes the pictures of all waiting requests.
    """

    def __init__(self, seed: str | None = None, folder: ModelFolder = HERE) -> None:
        self._models = CurrentModels(seed, folder)
        self._turn = anyio.Lock()
        self._waiting: list[Batch] = []

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images; see `CurrentModels.size`."""
        return self._models.size

    async def models(self) -> Classifier:
        """Return the models.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        return await self.take_turn(self._models.get)

    async def take_turn(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Call a function in a worker thread, between two passes."""
        async with self._turn:
            return await anyio.to_thread.run_sync(work, *arguments)

    async def predict(self, pictures: np.ndarray) -> tuple[Classifier, dict[str, Answers]]:
        """Classify pictures; return the models and their answers.

        Args:
            pictures: uint8 (N, H, W, 3).

        Raises:
            UserError: as for `models`.
            BusyError: other models, with images of another size, came since `size` was read.
        """
        mine = Batch(pictures)
        self._waiting.append(mine)
        try:
            async with self._turn:
                if mine in self._waiting:  # not yet part of a pass
                    batches, self._waiting = self._waiting, []
                    await anyio.to_thread.run_sync(self._pass, batches)
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        if mine.found is None:
            raise mine.error or RuntimeError("a pass left a batch out")
        return mine.found

    async def explain(
        self, classifier: Classifier, name: str, picture: np.ndarray, label: int
    ) -> np.ndarray | None:
        """Return the saliency map of one picture, uint8 (H, W); None if the model has none.

        Other requests take their turn between two maps.

        Args:
            classifier: from `predict`.
            name: of a model.
            picture: uint8 (H, W, 3).
            label: the class to explain.
        """
        maps = await self.take_turn(classifier.explain, name, picture[np.newaxis], np.array([label]))
        return None if maps is None else maps[0]

    def _pass(self, batches: Sequence[Batch]) -> None:
        try:
            classifier = self._models.get()
            late = [batch for batch in batches if batch.pictures.shape[1:3] != classifier.size]
            for batch in late:
                batch.error = BusyError("the models were replaced; try again")
            batches = [batch for batch in batches if batch not in late]
            none = np.empty((0, *classifier.size, 3), np.uint8)
            found = classifier.classify(np.concatenate([none, *(batch.pictures for batch in batches)]))
        except Exception as error:  # every request of the batch gets this error
            for batch in batches:
                batch.error = error
            return
        start = 0
        for batch in batches:
            part = slice(start, start + len(batch.pictures))
            batch.found = classifier, {name: _rows(answers, part) for name, answers in found.items()}
            start = part.stop


def _rows(answers: Answers, part: slice) -> Answers:
    """Return the answers for some of the pictures."""
    return Answers(*(getattr(answers, field.name)[part] for field in dataclasses.fields(answers)))
