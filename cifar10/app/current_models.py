"""The trained models on disk, loaded again after their files change."""

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

from cifar10 import params, paths
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

    def get(self) -> Classifier:
        """Return the models on disk.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        if self._loaded is None or _stamps(self._loaded.detectors, self._loaded.seeds) != self._stamps:
            self._loaded = None  # if loading fails, the next call tries again
            chosen = params.load()
            seeds = chosen.train.seeds if self._seed is None else [chosen.seed(self._seed)]
            self._stamps = _stamps(chosen.models, seeds)
            self._loaded = predictor.load(seed=self._seed)
        return self._loaded


def _stamps(names: Iterable[str], seeds: Sequence[int]) -> dict[Path, int | None]:
    """Return the modification time, in nanoseconds, of every file that the answers depend on."""
    trainings = product(names, seeds)
    files = [paths.PARAMS]
    files += [path(*training) for training in trainings for path in (paths.model, paths.ood_detector)]
    return {path: path.stat().st_mtime_ns if path.exists() else None for path in files}
