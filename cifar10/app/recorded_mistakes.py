"""Mistakes on test images by class, from the predictions that `evaluate` wrote."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException

from cifar10 import paths
from cifar10.app.file_cache import FileCache
from cifar10.errors import UserError
from cifar10.names import shorten, shown
from cifar10.params import Params
from cifar10.predict.model_folder import HERE, OPTION, ModelFolder
from cifar10.report import results
from cifar10.report.mistakes import Mistakes

PER_PAGE = 24  # images
NAMED = 12  # classes in an error


@dataclass(frozen=True)
class Recorded:
    """Predictions of a model for the N test images.

    `probabilities` are the means of its trainings, float64 (N, K); `actual` are the labels, int64 (N,).
    """

    model: str
    classes: list[str]
    actual: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def wrong(self) -> np.ndarray:
        """The images that the model gets wrong, int64, the most confident mistake first."""
        return Mistakes(self.actual, {self.model: self.probabilities}).most_confident(self.model)

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable labels, int64 (N,)."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of mistakes by actual class."""
        found = np.bincount(self.actual[self.wrong], minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))


class RecordedMistakes:
    """Mistakes of the models of a checkout. Threads can share one."""

    def __init__(self, seed: str | None = None, folder: ModelFolder = HERE) -> None:
        """Prepare; files are read on demand, and again after they change.

        Args:
            seed: as for `predictor.load`.
            folder: as for `predictor.load`; others than HERE have no predictions.
        """
        self._seed = seed
        self._folder = folder
        self._cache = FileCache()

    def names(self) -> tuple[list[str], list[str]]:
        """Return the names of all models and of the classes.

        Raises:
            UserError: the predictions of every model are missing, damaged, or of other images than
                data/processed; the message is that of the first model.
        """
        models, first = [*self._params().models], None
        for name in models:
            try:
                return models, self.of(name).classes
            except UserError as error:
                first = first or error
        raise first or UserError(f"{self._folder.params} has no model")

    def of(self, name: str) -> Recorded:
        """Return the predictions of a model.

        Raises:
            HTTPException: 422, params.yaml has no such model.
            UserError: its predictions are missing, damaged, or of other images than data/processed.
        """
        params = self._params()
        if name not in params.models:
            raise HTTPException(422, f"no model '{shown(name)}', expected one of {', '.join(params.models)}")
        seeds = params.train.seeds if self._seed is None else [params.seed(self._seed)]
        tables = [paths.predictions(name, seed) for seed in seeds]
        files = [paths.PARAMS, paths.CLASSES, paths.labels("test"), *tables]
        return self._cache.get(name, files, lambda: Recorded(name, *results.recorded(name, seeds)))

    def page(self, name: str, class_name: str, number: int) -> dict[str, Any]:
        """Return the fields of `schemas.Mistakes`.

        Args:
            name: of the model.
            class_name: the actual class.
            number: of the page, 1 or more.

        Raises:
            HTTPException: 422, there is no such model or class; 404, no such page.
            UserError: as for `of`.
        """
        found = self.of(name)
        if class_name not in found.classes:
            more = f" and {len(found.classes) - NAMED} more" if len(found.classes) > NAMED else ""
            known = ", ".join(shorten(shown(each), 30) for each in found.classes[:NAMED])
            raise HTTPException(422, f"no class '{shown(class_name)}', expected one of {known}{more}")
        label = found.classes.index(class_name)
        wrong = found.wrong[found.actual[found.wrong] == label]
        pages = max(1, -(-len(wrong) // PER_PAGE))
        if number > pages:
            raise HTTPException(404, f"page {number} does not exist, the last page is {pages}")
        shown_here = wrong[(number - 1) * PER_PAGE : number * PER_PAGE].tolist()
        return {
            "model": name,
            "actual": class_name,
            "images": int((found.actual == label).sum()),
            "counts": found.counts,
            "page": number,
            "pages": pages,
            "mistakes": [_mistake(found, index) for index in shown_here],
        }

    def picture(self, split: str, index: int) -> np.ndarray:
        """Return an image of a split, uint8 (H, W, 3).

        Raises:
            HTTPException: 404, there is no such image.
            UserError: data/processed is missing or damaged, or these are the models of another folder.
        """
        self._check_folder()
        pictures, _ = results.pictures(split)
        if not 0 <= index < len(pictures):
            raise HTTPException(404, f"image {index} does not exist, {split} has {len(pictures):,} images")
        return np.array(pictures[index])

    def _params(self) -> Params:
        self._check_folder()
        return self._cache.get(None, [self._folder.params], self._folder.load_params)

    def _check_folder(self) -> None:
        if not self._folder.here:
            raise UserError(
                "a folder of trained models has no predictions for test images: in a checkout, run "
                f"`dvc repro`, then `make app` without {OPTION}"
            )


def address(split: str, index: int) -> str:
    """Return the address of an image, below that of the server."""
    return f"images/{split}/{index}.png"


def _mistake(found: Recorded, index: int) -> dict[str, Any]:
    label = found.predicted[index]
    return {
        "image": index,
        "predicted": found.classes[label],
        "probability": float(found.probabilities[index, label]),
        "picture": address("test", index),
    }
