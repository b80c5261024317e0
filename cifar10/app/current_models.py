"""The trained models on disk, loaded again after their files change."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

from cifar10 import params
from cifar10.evaluation import input_size
from cifar10.predict import predictor
from cifar10.predict.model_folder import HERE, ModelFolder
from cifar10.predict.predictor import Classifier


class CurrentModels:
    """Load models on first use. Not thread-safe.

    Args:
        seed, folder: as for `predictor.load`.
    """

    def __init__(self, seed: str | None = None, folder: ModelFolder = HERE) -> None:
        self._seed = seed
        self._folder = folder
        self._stamps: dict[Path, int | None] = {}
        self._loaded: Classifier | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels, of the images of the loaded models, or else of those on disk.

        Raises:
            UserError: params.yaml is not valid, or the models take images of different sizes.
        """
        if loaded := self._loaded:
            return loaded.size
        chosen = self._folder.load_params()
        return input_size.common(self._folder.model(*training) for training in self._trainings(chosen))

    def get(self) -> Classifier:
        """Return the models on disk.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        if (
            self._loaded is None
            or self._stamp(product(self._loaded.detectors, self._loaded.seeds)) != self._stamps
        ):
            self._loaded = None  # if loading fails, the next call tries again
            self._stamps = self._stamp(self._trainings(self._folder.load_params()))
            self._loaded = predictor.load(seed=self._seed, folder=self._folder)
        return self._loaded

    def _trainings(self, chosen: params.Params) -> list[tuple[str, int]]:
        seeds = chosen.train.seeds if self._seed is None else [chosen.seed(self._seed)]
        return [*product(chosen.models, seeds)]

    def _stamp(self, trainings: Iterable[tuple[str, int]]) -> dict[Path, int | None]:
        """Return the modification time, in nanoseconds, of every file that the answers depend on."""
        own = self._folder
        files = [own.params]
        for training in trainings:
            files += [own.model(*training), own.ood_detector(*training)]
        return {path: path.stat().st_mtime_ns if path.exists() else None for path in files}
