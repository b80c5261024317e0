"""The trained models on disk, loaded again after their files change."""

from collections.abc import Iterable
from pathlib import Path

from cifar10 import params, paths
from cifar10.predict import predictor
from cifar10.predict.predictor import Classifier


class CurrentModels:
    """Load models on first use. Not thread-safe."""

    def __init__(self) -> None:
        self._stamps: dict[Path, int | None] = {}
        self._loaded: Classifier | None = None

    def get(self) -> Classifier:
        """Return the models on disk.

        Raises:
            UserError: one is missing or damaged; the message says what to run.
        """
        if self._loaded is None or _stamps(self._loaded.detectors) != self._stamps:
            self._loaded = None  # if loading fails, the next call tries again
            self._stamps = _stamps(params.load().models)
            self._loaded = predictor.load()
        return self._loaded


def _stamps(names: Iterable[str]) -> dict[Path, int | None]:
    """Return the modification time, in nanoseconds, of every file that the answers depend on."""
    files = [paths.PARAMS, *(path(name) for name in names for path in (paths.model, paths.ood_detector))]
    return {path: path.stat().st_mtime_ns if path.exists() else None for path in files}
