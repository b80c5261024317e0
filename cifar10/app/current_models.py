"""The trained models on disk, loaded again after their files change."""

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

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

    def get(self) -> Classifier:
        """Return the models on disk.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        if self._loaded is None or self._stamp(self._loaded.detectors, self._loaded.seeds) != self._stamps:
            self._loaded = None  # if loading fails, the next call tries again
            chosen = self._folder.load_params()
            seeds = chosen.train.seeds if self._seed is None else [chosen.seed(self._seed)]
            self._stamps = self._stamp(chosen.models, seeds)
            self._loaded = predictor.load(seed=self._seed, folder=self._folder)
        return self._loaded

    def _stamp(self, names: Iterable[str], seeds: Sequence[int]) -> dict[Path, int | None]:
        """Return the modification time, in nanoseconds, of every file that the answers depend on."""
        own = self._folder
        files = [own.params]
        for training in product(names, seeds):
            files += [own.model(*training), own.ood_detector(*training)]
        return {path: path.stat().st_mtime_ns if path.exists() else None for path in files}
