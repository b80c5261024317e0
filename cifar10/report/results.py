"""What the earlier stages left on disk, gathered and tabulated for the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from cifar10 import files, paths
from cifar10.errors import UserError
from cifar10.evaluation import metrics
from cifar10.evaluation.predictions import Answers

SPLITS = ("train", "validation", "test")
SCORED = ["kind", "score"]
HISTORY = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]

Content = TypeVar("Content")


@dataclass(frozen=True)
class Model:
    """What is known of one trained model.

    `history` has a row per epoch (epoch, loss, accuracy, val_loss, val_accuracy), `metrics` and
    `architecture` are as `evaluate` wrote them, `predicted` is int64 (N,) and `probabilities` float64
    (N, K), both over the test images in order; `novelty` is as `evaluate` wrote it, `scores` has a row (kind,
    score) per image that it measured with.
    """

    name: str
    history: pd.DataFrame
    metrics: dict[str, Any]
    architecture: list[dict[str, Any]]
    predicted: np.ndarray
    probabilities: np.ndarray
    ood: dict[str, Any]
    scores: pd.DataFrame

    @property
    def rejection(self) -> dict[str, Any]:
        """Figures of the score that was picked: threshold, accepted, and by kind auroc and rejected."""
        return self.ood["scores"][self.ood["score"]]

    @property
    def person(self) -> Answers:
        """Give what the model says of a person, one image."""
        known = np.array([self.ood["person"]["id_score"]])
        probabilities = np.array([[*self.ood["person"]["probabilities"].values()]])
        return Answers(probabilities, known, known >= self.rejection["threshold"])


@dataclass(frozen=True)
class Results:
    """All that the report shows: facts about the data, true classes of the test images, the models."""

    source: dict[str, Any]
    classes: list[str]
    images: dict[str, int]  # by split
    actual: np.ndarray  # int64 (N,), the test labels
    models: list[Model]

    @property
    def correct(self) -> dict[str, np.ndarray]:
        """For each model, bool (N,): whether it gets each test image right."""
        return {model.name: model.predicted == self.actual for model in self.models}

    @property
    def dataset(self) -> dict[str, Any]:
        """The source's facts, the class names and the number of images per split."""
        return {**self.source, "classes": self.classes, "images": self.images}


def load(model_names: Sequence[str]) -> Results:
    """Read what `download`, `preprocess`, `train` and `evaluate` wrote.

    Raises:
        UserError: a file is missing, damaged, or of other test images than those in data/processed.
    """
    classes = _read(paths.CLASSES, files.read_json)
    labels = {split: _read(paths.labels(split), np.load) for split in SPLITS}
    return Results(
        source=_read(paths.SOURCE, files.read_json),
        classes=classes,
        images={split: len(labels[split]) for split in SPLITS},
        actual=labels["test"],
        models=[_load_model(name, classes, labels["test"]) for name in model_names],
    )


def pictures(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Open the images of a split, uint8 (N, 32, 32, 3), not read into memory, with their labels, int64 (N,).

    Raises:
        UserError: a file is missing or damaged.
    """
    images = _read(paths.images(split), lambda path: np.load(path, mmap_mode="r"))
    return images, _read(paths.labels(split), np.load)


def curves(models: Sequence[Model]) -> pd.DataFrame:
    """Stack the histories: model, then the columns of a history."""
    return pd.concat([model.history.assign(model=model.name) for model in models])[["model", *HISTORY]]


def confusion(actual: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count images: int64 (K, K), a row per actual class, a column per predicted one.

    Args:
        actual: int (N,), 0 to K - 1.
        predicted: the same.
        classes: K.
    """
    return np.bincount(actual * classes + predicted, minlength=classes**2).reshape(classes, classes)


def confusion_table(results: Results) -> pd.DataFrame:
    """Write out every model's confusion matrix: model, actual, predicted, images; a row for zeros too."""
    size = len(results.classes)
    return pd.concat(
        pd.DataFrame(
            {
                "model": model.name,
                "actual": np.repeat(results.classes, size),
                "predicted": np.tile(results.classes, size),
                "images": confusion(results.actual, model.predicted, size).ravel(),
            }
        )
        for model in results.models
    )


def top_confusions(results: Results, model: Model, most: int) -> list[tuple[str, str, float]]:
    """List a model's most frequent errors: actual class, predicted class, share of the actual class (0 to 1).

    The largest share first; among equal ones, in the order of the classes. Errors that do not occur are left
    out.
    """
    counts = confusion(results.actual, model.predicted, len(results.classes))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    largest = np.argsort(-shares, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(results.classes)) for place in largest]
    return [
        (results.classes[actual], results.classes[predicted], float(shares[actual, predicted]))
        for actual, predicted in pairs
        if shares[actual, predicted] > 0
    ]


def class_accuracy(results: Results) -> pd.DataFrame:
    """Tabulate accuracy per model and class, with Wilson's 95 % interval.

    Returns:
        model, label (0 to K - 1), accuracy, low, high; classes without test images are left out.
    """
    rows = []
    for name, correct in results.correct.items():
        for label in np.unique(results.actual):
            hits = correct[results.actual == label]
            low, high = metrics.accuracy_interval(int(hits.sum()), len(hits))
            rows.append((name, int(label), float(hits.mean()), low, high))
    return pd.DataFrame(rows, columns=["model", "label", "accuracy", "low", "high"])


def _load_model(name: str, classes: list[str], actual: np.ndarray) -> Model:
    predicted, probabilities = _load_predictions(paths.predictions(name), classes, actual)
    return Model(
        name=name,
        history=_read(paths.history(name), lambda path: pd.read_csv(path, usecols=HISTORY)[HISTORY]),
        metrics=_read(paths.metrics(name), files.read_json),
        architecture=_read(paths.architecture(name), files.read_json),
        predicted=predicted,
        probabilities=probabilities,
        ood=_read(paths.ood_metrics(name), files.read_json),
        scores=_read(paths.ood_scores(name), lambda path: pd.read_csv(path, usecols=SCORED)[SCORED]),
    )


def _load_predictions(path: Path, classes: list[str], actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probabilities = [f"probability_{name}" for name in classes]
    columns = ["actual", "predicted", *probabilities]
    names = {"actual": str, "predicted": str}  # even if they look like numbers or like "NA"
    types = {**names, **dict.fromkeys(probabilities, np.float64)}
    table = _read(path, lambda path: pd.read_csv(path, usecols=columns, dtype=types, keep_default_na=False))
    truth, predicted = (pd.Index(classes).get_indexer(table[column].array) for column in names)
    if not np.array_equal(truth, actual) or (predicted < 0).any():
        raise UserError(
            f"{path}: expected rows for the {len(actual):,} images in {paths.labels('test').parent}, "
            f"got {len(table):,} of other images or classes: run `dvc repro`"
        )
    return predicted, table[probabilities].to_numpy()


def _read(path: Path, reader: Callable[[Path], Content]) -> Content:
    try:
        return reader(path)
    except FileNotFoundError:
        raise UserError(f"{path} not found: run `dvc repro`, which makes it") from None
    except (ValueError, EOFError) as error:  # what json, pandas and numpy raise for content that is none
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is damaged ({reason}): delete it and run `dvc repro`") from None
