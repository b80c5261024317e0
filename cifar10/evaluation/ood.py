"""Out-of-distribution (OOD) detection: three ID scores, a threshold for each, and the choice of one.

The ID score of an image is higher for images that look more like the training images (in-distribution, ID).
In-distribution is the positive class: TPR is the share of ID images that score at or above the threshold,
FPR the share of OOD images that do. The threshold is set at 95 % TPR on validation images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from cifar10 import files
from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.evaluation import temperature
from cifar10.evaluation.temperature import Validation

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # loads TensorFlow

SCORES = ("msp", "energy", "knn")
TARGET_TPR = 0.95  # TPR at the threshold, on the validation images
MEMORY_BANK = 2000  # training images; 8 MB for 1,000 features
NEIGHBOUR = 10  # k of the k-NN distance
HELD_OUT = 10  # without validation images, every tenth training image sets the threshold instead
MOST_HELD_OUT = 5000  # images
CHUNK = 64  # rows of the memory bank per product; 256 kB for 1,000 features, which stay in the cache
COLUMNS = ["dataset", "id_score"]

FeatureExtractor = Callable[[np.ndarray], "Outputs"]  # of uint8 (N, 32, 32, 3) images


@dataclass(frozen=True)
class Detector:
    """An ID score of a model with its threshold.

    Attributes:
        score: one of SCORES.
        threshold: images with a lower ID score are out-of-distribution.
        memory_bank: float32 (M, D), unit vectors; M = 0 for scores that need none.
        classes: the model's class names.
        validation: predictions for the validation images, for the temperature of the probabilities.
    """

    score: str
    threshold: float
    memory_bank: np.ndarray
    classes: list[str]
    validation: Validation = temperature.NONE

    def id_scores(self, outputs: "Outputs") -> np.ndarray:
        """Return the ID scores, float64 (N,)."""
        return id_scores(self.score, outputs, self.memory_bank)

    def is_id(self, scores: np.ndarray) -> np.ndarray:
        """Tell which ID scores are in-distribution, bool (N,)."""
        return scores >= self.threshold


def id_scores(score: str, outputs: "Outputs", memory_bank: np.ndarray) -> np.ndarray:
    """Compute an ID score; higher is more in-distribution.

    Args:
        score: `msp`: maximum softmax probability (Hendrycks and Gimpel, ICLR 2017). `energy`: negative
            energy, log of the sum of exp(logits) (Liu et al., NeurIPS 2020). `knn`: negative Euclidean
            distance between normalised features and the NEIGHBOUR-th nearest of the memory bank (Sun et al.,
            ICML 2022).
        outputs: for N images.
        memory_bank: float32 (M, D), from `unit`; used by `knn`.

    Returns:
        float64 (N,).
    """
    match score:
        case "msp":
            return outputs.probabilities.max(axis=1)
        case "energy":
            return np.logaddexp.reduce(outputs.logits, axis=1)
        case _:
            near = min(NEIGHBOUR, len(memory_bank))
            # of unit vectors: distance² = 2 - 2 similarity
            similarity = products(unit(outputs.features), memory_bank)
            nearest = np.partition(similarity, -near, axis=1)[:, -near].astype(np.float64)
            return -np.sqrt(np.maximum(2 - 2 * nearest, 0))


def products(features: np.ndarray, memory_bank: np.ndarray) -> np.ndarray:
    """Multiply features (N, D) with the rows of a memory bank (M, D), float32 (N, M).

    Images are multiplied one at a time. In a product of two matrices, BLAS chooses the order of sums by the
    number of rows and the position of a row, so the score of an image would depend on the other images.
    """
    chunks = [memory_bank[start : start + CHUNK] for start in range(0, len(memory_bank), CHUNK)]
    parts = [np.matmul(chunk, features[:, :, np.newaxis])[..., 0] for chunk in chunks]
    return np.concatenate(parts, axis=1)


def unit(features: np.ndarray) -> np.ndarray:
    """Normalise each row to length 1, float32 (N, D); rows of zeros stay zero."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(length, np.finfo(np.float32).tiny)


def threshold(scores: np.ndarray) -> float:
    """Return the highest threshold with a TPR of at least TARGET_TPR on these ID scores."""
    return float(np.quantile(scores, 1 - TARGET_TPR, method="lower"))


def fit(
    extract: FeatureExtractor,
    training: Split,
    validation: Split,
    pseudo_ood: Mapping[str, np.ndarray],
    classes: list[str],
) -> tuple[dict[str, Detector], dict[str, Any]]:
    """Set the threshold of each score, and choose the score with the highest mean AUROC on pseudo-OOD images.

    The OOD datasets affect neither the thresholds nor the choice.

    Args:
        extract: from `features.feature_extractor`.
        training: images of the memory bank.
        validation: from `threshold_images`.
        pseudo_ood: uint8 (N, 32, 32, 3) by kind, from `ood_images.pseudo_ood`.
        classes: class names.

    Returns:
        Detectors by score, and a dict: `score`, the chosen score; `pseudo_ood`, AUROC by score and kind, None
        for a kind without images, and their mean over the other kinds.
    """
    memory_bank = unit(extract(training.images[memory_bank_indices(len(training.labels))]).features)
    no_bank = memory_bank[:0]
    held_out = extract(validation.images)
    predicted = Validation(validation.labels, held_out.probabilities.astype(np.float32))
    others = {kind: extract(images) if len(images) else None for kind, images in pseudo_ood.items()}
    detectors: dict[str, Detector] = {}
    separation: dict[str, dict[str, Any]] = {}
    for score in SCORES:
        scores = id_scores(score, held_out, memory_bank)
        bank = memory_bank if score == "knn" else no_bank
        detectors[score] = Detector(score, threshold(scores), bank, classes, predicted)
        areas = {
            kind: auroc(scores, id_scores(score, outputs, memory_bank)) if outputs else None
            for kind, outputs in others.items()
        }
        known = [area for area in areas.values() if area is not None]
        separation[score] = {**areas, "mean": float(np.mean(known))}
    return detectors, {
        "score": max(SCORES, key=lambda score: separation[score]["mean"]),
        "pseudo_ood": separation,
    }


def chosen(detectors: Mapping[str, Detector], choice: Mapping[str, Any], threshold_data: str) -> Detector:
    """Return the detector of the chosen score, with predictions for a temperature if it may have any.

    A model fits its training images too well: a temperature fitted to these would be too low.

    Args:
        detectors: from `fit`.
        choice: from `fit`.
        threshold_data: from `threshold_images`.
    """
    detector = detectors[choice["score"]]
    if threshold_data == "validation":
        return detector
    labels, probabilities = detector.validation
    return replace(detector, validation=Validation(labels[:0], probabilities[:0]))


def threshold_images(training: Split, validation: Split) -> tuple[Split, str]:
    """Return the images that set the threshold, and the name of their split.

    The split is `validation`, or `training` if there are no validation images. Training images have higher
    ID scores than new images, so a threshold from training images has a TPR below 95 % on new images.
    """
    if len(validation.labels):
        return validation, "validation"
    some = slice(None, MOST_HELD_OUT * HELD_OUT, HELD_OUT)
    return Split(training.images[some], training.labels[some]), "training"


def memory_bank_indices(images: int) -> np.ndarray:
    """Draw the indices of the memory bank, ascending, without the images that `threshold_images` takes."""
    others = np.delete(np.arange(images), np.s_[::HELD_OUT]) if images > 1 else np.arange(images)
    return np.sort(np.random.default_rng(0).permutation(others)[:MEMORY_BANK])


def auroc(id_images: np.ndarray, ood_images: np.ndarray) -> float:
    """Compute the area under the ROC curve: the probability that an ID image scores above an OOD image."""
    labels = np.r_[np.ones(len(id_images)), np.zeros(len(ood_images))]
    return float(roc_auc_score(labels, np.r_[id_images, ood_images]))


def measure(
    detectors: Mapping[str, Detector], test: "Outputs", ood: Mapping[str, "Outputs"]
) -> dict[str, dict[str, Any]]:
    """Measure every score on the test images (ID) and on OOD datasets.

    Returns:
        By score: threshold; tpr on the test images, auroc and fpr by OOD dataset (0 to 1).
    """
    measured: dict[str, dict[str, Any]] = {}
    for name, detector in detectors.items():
        scores = detector.id_scores(test)
        others = {dataset: detector.id_scores(outputs) for dataset, outputs in ood.items()}
        measured[name] = {
            "threshold": detector.threshold,
            "tpr": float(detector.is_id(scores).mean()),
            "auroc": {dataset: auroc(scores, other) for dataset, other in others.items()},
            "fpr": {dataset: float(detector.is_id(other).mean()) for dataset, other in others.items()},
        }
    return measured


def person_answer(detector: Detector, outputs: "Outputs") -> dict[str, Any]:
    """Return the answer for one image as JSON: `id_score`, and `probabilities` by class."""
    probabilities = dict(zip(detector.classes, outputs.probabilities[0].tolist(), strict=True))
    return {"id_score": float(detector.id_scores(outputs)[0]), "probabilities": probabilities}


def table(detector: Detector, datasets: Mapping[str, "Outputs"]) -> pd.DataFrame:
    """List the ID score of every image: dataset, id_score."""
    frames = [
        pd.DataFrame({"dataset": dataset, "id_score": detector.id_scores(outputs)})
        for dataset, outputs in datasets.items()
    ]
    return pd.concat(frames).astype({"id_score": np.float32})[COLUMNS]


def save(detector: Detector, path: Path) -> None:
    """Write a detector as .npz without pickles; equal detectors give equal bytes."""
    with files.replacing(path) as beside:
        np.savez(
            beside,
            score=np.array(detector.score),
            threshold=np.array(detector.threshold),
            memory_bank=detector.memory_bank,
            classes=np.array(detector.classes),
            validation_labels=detector.validation.labels,
            validation_probabilities=detector.validation.probabilities,
        )


def load(path: Path) -> Detector:
    """Read a detector. Pickles are refused, so no file can run code.

    Raises:
        UserError: the file is missing or damaged.
        OSError: the file cannot be read.
    """
    if not path.exists():
        raise UserError(f"{path} not found: run `dvc pull {path}` to fetch it or `dvc repro` to make it")
    try:
        with np.load(path, allow_pickle=False) as content:
            classes, memory_bank = content["classes"].tolist(), content["memory_bank"]
            validation = Validation(content["validation_labels"], content["validation_probabilities"])
            score, threshold = str(content["score"]), float(content["threshold"])
            detector = Detector(score, threshold, memory_bank, classes, validation)
    except Exception as error:  # zipfile, zlib and numpy raise many kinds of errors
        files.raise_system_error(error, path)
        raise UserError(
            f"{path} is damaged ({' '.join(str(error).split())}): run `dvc repro` to make it again"
        ) from None
    if (
        detector.score not in SCORES
        or memory_bank.ndim != 2
        or memory_bank.dtype != np.float32
        or not isinstance(classes, list)
        or not validation.is_of(len(classes))
    ):
        raise UserError(f"{path} is not an OOD detector of `evaluate`: run `dvc repro` to make it again")
    return detector
