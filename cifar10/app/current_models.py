"""The trained models on disk, loaded again after their files change."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

from cifar10 import params, paths
from cifar10.evaluation import input_size
from cifar10.predict import predictor
from cifar10.predict.predictor import Classifier


class CurrentModels:
    """Load models on first use. Not thread-safe.

    Args:
        seed: as for `predictor.load`.
    """

    def __init__(self, seed: str | None = None) -> None:
        self._seed = seed
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
        chosen = params.load()
        return input_size.common(paths.model(*training) for training in self._trainings(chosen))

    def get(self) -> Classifier:
        """Return the models on disk.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        if (
            self._loaded is None
            or _stamps(product(self._loaded.detectors, self._loaded.seeds)) != self._stamps
        ):
            self._loaded = None  # if loading fails, the next call tries again
            self._stamps = _stamps(self._trainings(params.load()))
            self._loaded = predictor.load(seed=self._seed)
        return self._loaded

    def _trainings(self, chosen: params.Params) -> list[tuple[str, int]]:
        seeds = chosen.train.seeds if self._seed is None else [chosen.seed(self._seed)]
        return [*product(chosen.models, seeds)]


def _stamps(trainings: Iterable[tuple[str, int]]) -> dict[Path, int | None]:
    """Return the modification time, in nanoseconds, of every file that the answers depend on."""
    files = [paths.PARAMS]
    files += [path(*training) for training in trainings for path in (paths.model, paths.ood_detector)]
    return {path: path.stat().st_mtime_ns if path.exists() else None for path in files}
