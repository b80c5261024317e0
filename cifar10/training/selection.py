"""Choose the epoch whose weights are kept, and end a training that no longer improves."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from cifar10.params import Train
from cifar10.train_options import EarlyStopping

Rows = Sequence[Mapping[str, Any]]  # of the history


def is_best(history: Rows, column: str) -> bool:
    """Tell whether the last epoch is better than all before, by `val_accuracy` or `val_loss`."""
    *earlier, last = [row[column] for row in history]
    return all(_is_better(last, value, column) for value in earlier)


def is_stopped(history: Rows, setting: EarlyStopping | None) -> bool:
    """Tell whether Keras' EarlyStopping would have ended the training by now.

    Args:
        history: the epochs so far.
        setting: of params.yaml; None to train all epochs.
    """
    if setting is None:
        return False
    best, waited = None, 0
    for epoch, row in enumerate(history):
        if epoch < setting.start_from_epoch:
            continue
        value = row[setting.monitor]
        waited += 1
        if best is None or _is_better(value, best, setting.monitor, setting.min_delta):
            best, waited = value, 0
        elif waited >= setting.patience:
            return True
    return False


def best_epoch(history: Rows, keep: str) -> int:
    """Return the index of the epoch whose weights are kept: the last, or the first of the best.

    Args:
        history: all epochs.
        keep: `last`, or the column of the history that decides.
    """
    if keep == "last":
        return len(history) - 1
    return max(index for index in range(len(history)) if is_best(history[: index + 1], keep))


def marked(history: Rows, keep: str) -> list[dict[str, Any]]:
    """Return the rows for the history file; a column `kept` marks the epoch with 1 if it is not the last."""
    if keep == "last":
        return [dict(row) for row in history]
    kept = best_epoch(history, keep)
    return [{**row, "kept": int(index == kept)} for index, row in enumerate(history)]


def note(history: Rows, settings: Train) -> str:
    """Say which epoch is kept and why the training ended, as far as it is not the last of all epochs."""
    texts = []
    if len(history) < settings.epochs and settings.early_stopping:
        texts.append(
            f"stopped after epoch {len(history)}, {settings.early_stopping.monitor} no longer improves"
        )
    if settings.keep != "last":
        texts.append(f"keeps the weights of epoch {best_epoch(history, settings.keep) + 1}")
    return "; ".join(texts)


def _is_better(value: float, other: float, column: str, by: float = 0.0) -> bool:
    return value - by > other if column == "val_accuracy" else value + by < other


class BestWeights:
    """The weights of the best epoch so far, if `keep` asks for them.

    Attributes:
        variables: their copies, for the checkpoint; empty if the last epoch is kept.
    """

    def __init__(self, model: keras.Model, keep: str):
        """Prepare copies.

        Args:
            model: from `models.build`.
            keep: `last`, or the column of the history that decides.
        """
        self._model, self._column = model, None if keep == "last" else keep
        kept = [] if self._column is None else model.variables
        self.variables = [keras.Variable(each, dtype=each.dtype, trainable=False) for each in kept]

    def offer(self, history: Rows) -> None:
        """Copy the weights of the model, if the last row of the history is the best so far."""
        if self._column is not None and is_best(history, self._column):
            _assign(self.variables, self._model.variables)

    def restore(self) -> bool:
        """Give the model the kept weights; return False if the last epoch is kept."""
        _assign(self._model.variables[: len(self.variables)], self.variables)
        return bool(self.variables)


def _assign(targets: Sequence[keras.Variable], sources: Sequence[keras.Variable]) -> None:
    for target, source in zip(targets, sources, strict=True):
        target.assign(source)
