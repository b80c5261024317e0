"""Read the outputs of the other stages and tabulate them for the report."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from cifar10 import files, paths
from cifar10.errors import UserError
from cifar10.evaluation import (
    accuracy_interval,
    auroc,
    corrupted,
    detector,
    ensemble_detector,
    explanations,
    metrics,
    ood_scores,
    replicates,
    temperature,
)
from cifar10.evaluation.ensemble import mean_probabilities
from cifar10.evaluation.explanations import Explanations
from cifar10.evaluation.predictions import Answers
from cifar10.evaluation.replicates import Accuracy, Difference
from cifar10.evaluation.temperature import Validation
from cifar10.report import summary

SPLITS = ("train", "validation", "test")
SCORED = ["dataset", "id_score"]
HISTORY = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]

Content = TypeVar("Content")


@dataclass(frozen=True)
class Training:
    """Results of one training of a model.

    Attributes:
        seed: of the training.
        history: a row per epoch: epoch, loss, accuracy, val_loss, val_accuracy.
        evaluation: content of the evaluation file.
        predicted: int64 (N,), labels of the test images in order.
        probabilities: float64 (N, K), of the same images.
        ood: content of the OOD metrics file.
        scores: a row per validation, test, OOD or corrupted image: dataset, id_score.
        validation: predictions for the validation images, which may be none.
        explanations: saliency maps and nearest training images.
        nearest: classes of the training images most similar to the portrait, the most similar first; none
            without the portrait.
    """

    seed: int
    history: pd.DataFrame
    evaluation: dict[str, Any]
    predicted: np.ndarray
    probabilities: np.ndarray
    ood: dict[str, Any]
    scores: pd.DataFrame
    validation: Validation
    explanations: Explanations
    nearest: list[str]

    @property
    def detector(self) -> dict[str, Any]:
        """Metrics of the combined ID score: threshold, tpr; auroc and fpr by OOD dataset."""
        return self.ood["scores"][self.ood["score"]]


@dataclass(frozen=True)
class Model:
    """Results of a model: its layers, and its trainings in the order of `train.seeds`, at least one.

    `classes` are the class names, `actual` the labels of the test images, int64 (N,). `crops` has the number
    of images by source picture, for each OOD dataset of crops.
    """

    name: str
    architecture: list[dict[str, Any]]
    trainings: list[Training]
    classes: list[str]
    actual: np.ndarray
    crops: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def first(self) -> Training:
        """The training with the first seed."""
        return self.trainings[0]

    @property
    def correct(self) -> np.ndarray:
        """Correct predictions of the N test images by the S trainings, bool (S, N)."""
        return np.array([training.predicted == self.actual for training in self.trainings])

    @cached_property
    def accuracy(self) -> Accuracy:
        """Test accuracy over the trainings, with its interval."""
        return replicates.accuracies({self.name: self.correct})[self.name]

    @cached_property
    def mean_probabilities(self) -> np.ndarray:
        """Mean probabilities of the trainings for the N test images, float64 (N, K)."""
        return mean_probabilities([training.probabilities for training in self.trainings])

    @cached_property
    def ensemble(self) -> dict[str, Any] | None:
        """Test metrics of the mean probabilities of the trainings; None for one training.

        From `metrics.summary`; `calibrated`, if there are validation images, is from `temperature.measured`.
        """
        if len(self.trainings) == 1:
            return None
        mean = self.mean_probabilities
        calibrated = temperature.measured(self.validations, mean, self.actual)
        return {**metrics.summary(mean, self.actual, self.classes), **calibrated}

    @property
    def validations(self) -> list[Validation]:
        """Predictions of each training for the validation images."""
        return [training.validation for training in self.trainings]

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Mean and standard deviation of each metric, from `summary.summarize`."""
        return summary.summarize(
            [training.evaluation for training in self.trainings],
            [training.detector for training in self.trainings],
            self.accuracy,
            self.ensemble,
        )

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row per validation, test, OOD and corrupted image: dataset; id_score, mean over trainings."""
        mean = np.mean([training.scores["id_score"] for training in self.trainings], axis=0)
        return self.first.scores.assign(id_score=mean)

    @cached_property
    def detector(self) -> dict[str, Any]:
        """Metrics of the mean ID score: threshold, tpr, and by OOD dataset, auroc, its interval, and fpr.

        `images` and `pictures` are the numbers of images and of source pictures. `corrupted` has the TPR on
        corrupted test images by kind.
        """
        groups = {dataset: rows.to_numpy() for dataset, rows in self.scores.groupby("dataset")["id_score"]}
        limit, test = detector.threshold(groups["validation"]), groups["test"]
        others = {dataset: groups[dataset] for dataset in self.first.detector["auroc"]}
        return {
            "threshold": limit,
            "tpr": float((test >= limit).mean()),
            "corrupted": {
                kind: float((groups[corrupted.dataset(kind)] >= limit).mean())
                for kind in self.first.ood["corrupted"]
            },
            "auroc": {dataset: auroc.area(test, found) for dataset, found in others.items()},
            "interval": {
                dataset: auroc.interval(test, found, self.sizes(dataset)) for dataset, found in others.items()
            },
            "fpr": {dataset: float((found >= limit).mean()) for dataset, found in others.items()},
            "images": {dataset: len(found) for dataset, found in others.items()},
            "pictures": {dataset: len(self.crops.get(dataset, found)) for dataset, found in others.items()},
        }

    def sizes(self, dataset: str) -> list[int] | None:
        """Return the number of images of each source picture of an OOD dataset; None for one of each."""
        return [*self.crops[dataset].values()] if dataset in self.crops else None

    @property
    def mean_auroc(self) -> float | None:
        """Mean AUROC over the OOD datasets, for the mean ID score; None if none was measured."""
        areas = [*self.detector["auroc"].values()]
        return float(np.mean(areas)) if areas else None

    @property
    def reliable(self) -> bool | None:
        """Whether the trainings' detectors are reliable, as `cifar10-classify` says; None if unknown."""
        areas = [training.ood["auroc"] for training in self.trainings]
        return ensemble_detector.is_reliable(ensemble_detector.mean_auroc(areas))

    @cached_property
    def person(self) -> Answers | None:
        """The answer of the ensemble for the one image of a person; None if `data.ood_exclude` has it."""
        if self.first.ood["person"] is None:
            return None
        id_scores = np.array([np.mean([run.ood["person"]["id_score"] for run in self.trainings])])
        each = [[*training.ood["person"]["probabilities"].values()] for training in self.trainings]
        mean = mean_probabilities([np.array([probabilities]) for probabilities in each])
        mean = temperature.scaled(mean, temperature.fit(self.validations) or 1)
        known = self.scores.loc[self.scores["dataset"] == "validation", "id_score"]
        p_values = ood_scores.p_values(id_scores, np.sort(known))
        return Answers(mean, id_scores, p_values, id_scores >= self.detector["threshold"])


@dataclass(frozen=True)
class Results:
    """Everything in the report: facts about the data, labels of the test images, models.

    `excluded` are the pictures that `data.exclude` leaves out, relative to data.folder; `audit` is the
    content of reports/audit.json.
    """

    source: dict[str, Any]
    classes: list[str]
    images: dict[str, int]  # by split
    actual: np.ndarray  # int64 (N,), the test labels
    models: list[Model]
    excluded: list[str] = field(default_factory=list)
    audit: dict[str, Any] = field(default_factory=dict)

    @property
    def seeds(self) -> list[int]:
        """The seeds of the trainings, the same for every model."""
        return [training.seed for training in self.models[0].trainings]

    @property
    def correct(self) -> dict[str, np.ndarray]:
        """By model, bool (S, N): correct predictions of the N test images by the S trainings."""
        return {model.name: model.correct for model in self.models}

    @property
    def first_correct(self) -> dict[str, np.ndarray]:
        """By model, bool (N,): the part of `correct` of the first seed."""
        return {name: correct[0] for name, correct in self.correct.items()}

    @cached_property
    def differences(self) -> list[Difference]:
        """The comparison of every two models."""
        return replicates.differences(self.correct)

    @property
    def dataset(self) -> dict[str, Any]:
        """Facts about the source, class names, number of images per split, and what is left out, if any."""
        left_out = {"excluded": self.excluded} if self.excluded else {}
        return {**self.source, **left_out, "classes": self.classes, "images": self.images}


def load(model_names: Sequence[str], seeds: Sequence[int]) -> Results:
    """Read the outputs of `download`, `preprocess`, `train` and `evaluate` for every model and seed.

    Raises:
        UserError: a file is missing or damaged, or belongs to other test images than data/processed.
    """
    classes = _read(paths.CLASSES, files.read_json)
    labels = {split: _read(paths.labels(split), np.load) for split in SPLITS}
    crops = _read(paths.OOD_PICTURES, files.read_json)
    return Results(
        source=_read(paths.SOURCE, files.read_json),
        classes=classes,
        images={split: len(labels[split]) for split in SPLITS},
        actual=labels["test"],
        models=[_load_model(name, seeds, classes, labels, crops) for name in model_names],
        excluded=_read(paths.EXCLUDED, files.read_json) if paths.EXCLUDED.exists() else [],
        audit=_read(paths.AUDIT, files.read_json),
    )


def pictures(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Open the images of a split as a memory map, uint8 (N, 32, 32, 3), and its labels, int64 (N,).

    Raises:
        UserError: a file is missing or damaged.
    """
    images = _read(paths.images(split), lambda path: np.load(path, mmap_mode="r"))
    return images, _read(paths.labels(split), np.load)


def recorded(name: str, seeds: Sequence[int]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read the predictions of one model for the test images, and nothing else of the results.

    Args:
        name: of the model.
        seeds: of its trainings.

    Returns:
        Class names; labels, int64 (N,); mean probabilities of the trainings, float64 (N, K).

    Raises:
        UserError: as for `load`.
    """
    classes = _read(paths.CLASSES, files.read_json)
    labels = {"test": _read(paths.labels("test"), np.load)}
    found = [_load_predictions(paths.predictions(name, seed), classes, labels, "test") for seed in seeds]
    return classes, labels["test"], mean_probabilities([probabilities for _, probabilities in found])


def curves(models: Sequence[Model]) -> pd.DataFrame:
    """Concatenate the histories, with the columns `model` and `seed` in front."""
    tables = [
        training.history.assign(model=model.name, seed=training.seed)
        for model in models
        for training in model.trainings
    ]
    return pd.concat(tables)[["model", "seed", *HISTORY]]


def confusion(actual: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Compute a confusion matrix, int64 (K, K): rows are actual classes, columns predicted classes.

    Args:
        actual: int (N,), 0 to K - 1.
        predicted: the same.
        classes: K.
    """
    return np.bincount(actual * classes + predicted, minlength=classes**2).reshape(classes, classes)


def total_confusion(results: Results, model: Model) -> np.ndarray:
    """Sum the confusion matrices of a model's trainings, int64 (K, K)."""
    size = len(results.classes)
    counts = [confusion(results.actual, training.predicted, size) for training in model.trainings]
    return np.sum(counts, axis=0)


def confusion_table(results: Results) -> pd.DataFrame:
    """List the summed confusion matrices of all models: model, actual, predicted, images; zeros included."""
    size = len(results.classes)
    return pd.concat(
        pd.DataFrame(
            {
                "model": model.name,
                "actual": np.repeat(results.classes, size),
                "predicted": np.tile(results.classes, size),
                "images": total_confusion(results, model).ravel(),
            }
        )
        for model in results.models
    )


def top_confusions(results: Results, model: Model, most: int) -> list[tuple[str, str, float]]:
    """List the most frequent confusions of a model: actual class, predicted class, share of the actual class.

    Sorted by share (0 to 1), then by class. Confusions that do not occur are left out.
    """
    counts = total_confusion(results, model)
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
    """Tabulate accuracy per model and class: the mean over seeds, with its 95 % interval.

    Returns:
        model, label (0 to K - 1), accuracy, low, high, accuracies (a list, by seed). The interval is that of
        `replicates.accuracies`, or Wilson's for a single seed; it is NaN for several seeds and a single test
        image, which does not show a spread. Classes without test images are left out.
    """
    rows = []
    for name, correct in results.correct.items():
        for label in np.unique(results.actual):
            hits = correct[:, results.actual == label]
            each = hits.mean(axis=1)
            if len(hits) > 1 and hits.shape[1] == 1:
                low = high = math.nan
            elif len(hits) > 1:
                found = replicates.accuracies({name: hits})[name]
                low, high = found.low, found.high
            else:
                low, high = accuracy_interval.wilson(int(hits.sum()), hits.shape[1])
            rows.append((name, int(label), float(each.mean()), low, high, each.tolist()))
    return pd.DataFrame(rows, columns=["model", "label", "accuracy", "low", "high", "accuracies"])


def _load_model(
    name: str,
    seeds: Sequence[int],
    classes: list[str],
    labels: dict[str, np.ndarray],
    crops: dict[str, dict[str, int]],
) -> Model:
    model = Model(
        name=name,
        architecture=_read(paths.architecture(name, seeds[0]), files.read_json),
        trainings=[_load_training(name, seed, classes, labels) for seed in seeds],
        classes=classes,
        actual=labels["test"],
        crops=crops,
    )
    counts = model.first.scores["dataset"].value_counts()
    for dataset, sizes in crops.items():
        if (got := counts.get(dataset, 0)) != (expected := sum(sizes.values())):
            raise UserError(
                f"{paths.ood_scores(name, seeds[0])}: expected {expected:,} rows for {dataset}, as "
                f"{paths.OOD_PICTURES} says, got {got:,}: run `dvc repro`"
            )
    return model


def _load_training(name: str, seed: int, classes: list[str], labels: dict[str, np.ndarray]) -> Training:
    predicted, probabilities = _load_predictions(paths.predictions(name, seed), classes, labels, "test")
    held_out = paths.validation_predictions(name, seed)
    _, of_validation = _load_predictions(held_out, classes, labels, "validation")
    explained = _read(paths.explanations(name, seed), explanations.load)
    return Training(
        seed=seed,
        history=_read(paths.history(name, seed), lambda path: pd.read_csv(path, usecols=HISTORY)[HISTORY]),
        evaluation=_read(paths.evaluation(name, seed), files.read_json),
        predicted=predicted,
        probabilities=probabilities,
        ood=_read(paths.ood_metrics(name, seed), files.read_json),
        scores=_read(paths.ood_scores(name, seed), lambda path: pd.read_csv(path, usecols=SCORED)[SCORED]),
        validation=Validation(labels["validation"], of_validation.astype(np.float32)),
        explanations=explained,
        nearest=[classes[label] for label in labels["train"][explained.nearest[:1].ravel()]],
    )


def _load_predictions(
    path: Path, classes: list[str], labels: dict[str, np.ndarray], split: str
) -> tuple[np.ndarray, np.ndarray]:
    probabilities = [f"probability_{name}" for name in classes]
    columns = ["actual", "predicted", *probabilities]
    names = {"actual": str, "predicted": str}  # even if they look like numbers or like "NA"
    types = {**names, **dict.fromkeys(probabilities, np.float64)}
    table = _read(path, lambda path: pd.read_csv(path, usecols=columns, dtype=types, keep_default_na=False))
    truth, predicted = (pd.Index(classes).get_indexer(table[column].array) for column in names)
    if not np.array_equal(truth, labels[split]) or (predicted < 0).any():
        raise UserError(
            f"{path}: expected rows for the {len(labels[split]):,} images in {paths.labels(split).parent}, "
            f"got {len(table):,} of other images or classes: run `dvc repro`"
        )
    return predicted, table[probabilities].to_numpy()


def _read(path: Path, reader: Callable[[Path], Content]) -> Content:
    try:
        return reader(path)
    except FileNotFoundError:
        raise UserError(f"{path} not found: run `dvc repro` to make it") from None
    except (ValueError, EOFError) as error:  # raised by json, pandas and numpy for damaged content
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is damaged ({reason}): delete it and run `dvc repro`") from None
