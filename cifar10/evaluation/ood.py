"""Tell images of no known class from the known: three scores, one picked, with a threshold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from cifar10 import files
from cifar10.data.dataset import Split
from cifar10.errors import UserError

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # which loads TensorFlow

SCORES = ("probability", "energy", "distance")
ACCEPTED = 0.95  # share of the validation images that the threshold lets pass
BANK = 2000  # training images to measure distances from; 8 MB for 1,000 features
NEIGHBOUR = 10  # the distance is that to the tenth nearest of them
HELD_OUT = (
    10  # without validation images every tenth training image stays out of the bank and takes their place
)
MOST = 5000  # of these
CHUNK = 64  # rows of the bank in one product; 256 kB for 1,000 features, so they stay in the cache
COLUMNS = ["kind", "score"]

Look = Callable[[np.ndarray], "Outputs"]  # from images, uint8 (N, 32, 32, 3)


@dataclass(frozen=True)
class Detector:
    """One score of a model with its threshold; what scores below it is of no known class.

    `bank` is float32 (M, D), unit vectors, M = 0 where the score needs none. `classes` are the model's.
    """

    score: str
    threshold: float
    bank: np.ndarray
    classes: list[str]

    def known(self, outputs: "Outputs") -> np.ndarray:
        """Score images, float64 (N,): the higher, the more like a known class."""
        return known(self.score, outputs, self.memory_bank)

    def accepts(self, scores: np.ndarray) -> np.ndarray:
        """Tell which scores are those of a known class, bool (N,)."""
        return scores >= self.threshold


def known(score: str, outputs: "Outputs", bank: np.ndarray) -> np.ndarray:
    """Score images: the higher, the more like a known class.

    Args:
        score: `probability`: the largest one (Hendrycks and Gimpel, ICLR 2017). `energy`: the negative of it,
            log of the sum of exp(logits) (Liu et al., NeurIPS 2020). `distance`: the negative Euclidean
            distance, between features of length 1, to the NEIGHBOUR-th nearest training image (Sun et al.,
            ICML 2022).
        outputs: for N images.
        bank: float32 (M, D), from `unit`, for `distance`.

    Returns:
        float64 (N,).
    """
    match score:
        case "probability":
            return outputs.probabilities.max(axis=1)
        case "energy":
            return np.logaddexp.reduce(outputs.logits, axis=1)
        case _:
            near = min(NEIGHBOUR, len(bank))
            similar = products(unit(outputs.features), bank)  # of unit vectors: distance² = 2 - 2 similarity
            nearest = np.partition(similar, -near, axis=1)[:, -near].astype(np.float64)
            return -np.sqrt(np.maximum(2 - 2 * nearest, 0))


def products(features: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """Multiply features (N, D) with the rows of a bank (M, D), float32 (N, M).

    An image at a time: BLAS sums a product of two matrices in an order that depends on how many rows it has
    and where a row stands, so an image would score otherwise with others beside it.
    """
    chunks = [bank[start : start + CHUNK] for start in range(0, len(bank), CHUNK)]
    parts = [np.matmul(chunk, features[:, :, np.newaxis])[..., 0] for chunk in chunks]
    return np.concatenate(parts, axis=1)


def unit(features: np.ndarray) -> np.ndarray:
    """Scale each row to length 1, a row of zeros stays; float32 (N, D)."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(length, np.finfo(np.float32).tiny)


def threshold(scores: np.ndarray) -> float:
    """Find the score that ACCEPTED of these, and no fewer, reach."""
    return float(np.quantile(scores, 1 - ACCEPTED, method="lower"))


def fit(
    look: Look, training: Split, validation: Split, proxies: Mapping[str, np.ndarray], classes: list[str]
) -> tuple[dict[str, Detector], dict[str, Any]]:
    """Set up a detector for each score and compare them on images made up of the validation images.

    No real image of no class takes part, neither in the threshold nor in the choice.

    Args:
        look: the model.
        training: images to measure distances from.
        validation: from `calibration`.
        proxies: uint8 (N, 32, 32, 3) for each kind of image that is of no class.
        classes: names.

    Returns:
        Detectors by score; and `score`, the one that separates best on average, with `proxies`, the areas
        under the ROC curves that say so.
    """
    bank = unit(look(training.images[memory_bank_indices(len(training.labels))]).features)
    none = bank[:0]
    held_out, novel = look(validation.images), {kind: look(images) for kind, images in proxies.items()}
    detectors, separation = {}, {}
    for score in SCORES:
        scores = known(score, held_out, bank)
        detectors[score] = Detector(score, threshold(scores), bank if score == "distance" else none, classes)
        found = {kind: area(scores, known(score, outputs, bank)) for kind, outputs in novel.items()}
        separation[score] = {**found, "mean": float(np.mean([*found.values()]))}
    return detectors, {
        "score": max(SCORES, key=lambda score: separation[score]["mean"]),
        "pseudo_ood": separation,
    }


def calibration(training: Split, validation: Split) -> tuple[Split, str]:
    """Give the images to set the threshold with, and their name: `validation` or, for want of it, `training`.

    Training images look better known than new ones, so with them fewer than ACCEPTED of new images pass.
    """
    if len(validation.labels):
        return validation, "validation"
    some = slice(None, MOST * HELD_OUT, HELD_OUT)
    return Split(training.images[some], training.labels[some]), "training"


def memory_bank_indices(images: int) -> np.ndarray:
    """Draw the training images to measure distances from, ascending; none that `calibration` may take."""
    others = np.delete(np.arange(images), np.s_[::HELD_OUT]) if images > 1 else np.arange(images)
    return np.sort(np.random.default_rng(0).permutation(others)[:BANK])


def area(accepted: np.ndarray, novel: np.ndarray) -> float:
    """Compute the area under the ROC curve: how often a known image scores above a novel one."""
    labels = np.r_[np.ones(len(accepted)), np.zeros(len(novel))]
    return float(roc_auc_score(labels, np.r_[accepted, novel]))


def measure(
    detectors: Mapping[str, Detector], test: "Outputs", novel: Mapping[str, "Outputs"]
) -> dict[str, dict[str, Any]]:
    """Measure every score on test images and on images of no class.

    Returns:
        For each score: threshold; accepted, the share of the test images; auroc and rejected (share) by kind.
    """
    figures: dict[str, dict[str, Any]] = {}
    for name, detector in detectors.items():
        scores = detector.id_scores(test)
        others = {kind: detector.id_scores(outputs) for kind, outputs in novel.items()}
        figures[name] = {
            "threshold": detector.threshold,
            "accepted": float(detector.is_id(scores).mean()),
            "auroc": {kind: area(scores, other) for kind, other in others.items()},
            "rejected": {kind: float((~detector.is_id(other)).mean()) for kind, other in others.items()},
        }
    return figures


def answer(detector: Detector, outputs: "Outputs") -> dict[str, Any]:
    """Write down what a model says of one image: its score `known`, and `probabilities` by class."""
    probabilities = dict(zip(detector.classes, outputs.probabilities[0].tolist(), strict=True))
    return {"id_score": float(detector.id_scores(outputs)[0]), "probabilities": probabilities}


def table(detector: Detector, kinds: Mapping[str, "Outputs"]) -> pd.DataFrame:
    """List the score of every image: kind, score."""
    frames = [
        pd.DataFrame({"kind": kind, "score": detector.id_scores(outputs)}) for kind, outputs in kinds.items()
    ]
    return pd.concat(frames).astype({"score": np.float32})[COLUMNS]


def save(detector: Detector, path: Path) -> None:
    """Write a detector: the same bytes for the same one, no pickle."""
    with files.replacing(path) as beside:
        np.savez(
            beside,
            score=np.array(detector.score),
            threshold=np.array(detector.threshold),
            bank=detector.memory_bank,
            classes=np.array(detector.classes),
        )


def load(path: Path) -> Detector:
    """Read a detector; a hostile file is refused and runs nothing.

    Raises:
        UserError: it is missing or damaged.
    """
    if not path.exists():
        raise UserError(f"{path} not found: `dvc pull {path}` fetches it, `dvc repro` makes it")
    try:
        with np.load(path, allow_pickle=False) as content:
            classes, bank = content["classes"].tolist(), content["bank"]
            detector = Detector(str(content["score"]), float(content["threshold"]), bank, classes)
    except Exception as error:  # zipfile, zlib and numpy raise many kinds
        raise UserError(
            f"{path} is damaged ({' '.join(str(error).split())}): `dvc repro` makes it anew"
        ) from None
    if (
        detector.score not in SCORES
        or bank.ndim != 2
        or bank.dtype != np.float32
        or not isinstance(classes, list)
    ):
        raise UserError(f"{path} holds no threshold as `evaluate` writes it: `dvc repro` makes it anew")
    return detector
