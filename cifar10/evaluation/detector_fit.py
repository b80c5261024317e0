"""Fit a detector of out-of-distribution (OOD) images, and measure its ID scores on OOD datasets.

The ID score of an image is higher for images that look more like the training images (in-distribution, ID).
In-distribution is the positive class: TPR is the share of ID images that score at or above the threshold,
FPR the share of OOD images that do. The threshold is set at 95 % TPR on validation images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cifar10.data.dataset import Split
from cifar10.evaluation import auroc, detector, layer_distances, ood_scores
from cifar10.evaluation.detector import Detector
from cifar10.evaluation.temperature import Validation

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # loads TensorFlow

SCORES = ("combined", "msp", "energy", "knn", "layers", "joint")
OF_OUTPUTS = (("msp",), ("energy",), ("msp", "energy"))  # a combination has one of these
OF_LAYERS = (("layers",), ("joint",), ("layers", "joint"))  # and one of these
TIE = 0.01  # AUROC; of combinations within it of the best, the one with the most scores is chosen
FITTED = 5000  # training images, for the statistics of the layers
MEMORY_BANK = 2000  # of these, for the k-NN distance
HELD_OUT = 10  # without validation images, every tenth training image sets the threshold instead
MOST_HELD_OUT = 5000  # images
COLUMNS = ["dataset", "id_score"]

FeatureExtractor = Callable[[np.ndarray], "Outputs"]  # of uint8 (N, 32, 32, 3) images


@dataclass(frozen=True)
class Fitted:
    """A detector, and what the single ID scores need for a comparison with it.

    Attributes:
        detector: the combination.
        memory_bank: float32 (M, D), unit vectors, for the k-NN distance.
        thresholds: by score, at 95 % TPR on the validation images.
        pseudo_ood: AUROC by score and kind of pseudo-OOD images, None for a kind without images, and `mean`
            over the other kinds.
    """

    detector: Detector
    memory_bank: np.ndarray
    thresholds: dict[str, float]
    pseudo_ood: dict[str, dict[str, float | None]]

    def scores(
        self, outputs: "Outputs", parts: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """Compute all SCORES, float64 (N,) each; `parts` are the `ood_scores.part_scores`, if known."""
        parts = ood_scores.part_scores(self.detector.layers, outputs) if parts is None else parts
        combined = ood_scores.combined(self.detector.parts, parts, self.detector.references)
        found = {"combined": combined, "knn": ood_scores.knn(outputs, self.memory_bank), **parts}
        return {score: found[score] for score in SCORES}


def fit(
    extract: FeatureExtractor,
    training: Split,
    validation: Split,
    pseudo_ood: Mapping[str, np.ndarray],
    classes: list[str],
    plain: FeatureExtractor | None = None,
) -> Fitted:
    """Fit the ID scores, and choose a combination by the mean AUROC on pseudo-OOD images.

    A combination has the MSP, the energy or both, and one or both scores of the hidden layers. Of those
    within TIE of the best, the one with the most scores is chosen: different scores see different OOD images.
    The OOD datasets affect neither the thresholds nor the choice.

    Args:
        extract: from `features.feature_extractor`.
        training: images for the statistics of the layers and the memory bank.
        validation: from `threshold_images`.
        pseudo_ood: uint8 (N, 32, 32, 3) by kind, from `pseudo_ood.make`.
        classes: class names.
        plain: the same as `extract`, but without the mirror images, which only change probabilities. It is
            used for training images, whose probabilities are not needed.
    """
    known = (plain or extract)(training.images[fitted_indices(len(training.labels))])
    memory_bank = ood_scores.unit(known.features[:MEMORY_BANK])
    held_out = extract(validation.images)
    statistics = layer_distances.fit(known.layers)
    layers = ood_scores.fit_layers(statistics, statistics.distances(held_out.layers, len(held_out.logits)))
    inside = ood_scores.part_scores(layers, held_out)
    references = {part: np.sort(scores) for part, scores in inside.items()}
    others = {kind: extract(images) if len(images) else None for kind, images in pseudo_ood.items()}
    outside = {kind: ood_scores.part_scores(layers, outputs) for kind, outputs in others.items() if outputs}

    def separation(parts: tuple[str, ...]) -> float:
        scores = ood_scores.combined(parts, inside, references)
        return float(
            np.mean(
                [
                    auroc.area(scores, ood_scores.combined(parts, found, references))
                    for found in outside.values()
                ]
            )
        )

    areas = {one + other: separation(one + other) for one, other in product(OF_OUTPUTS, OF_LAYERS)}
    as_good = [parts for parts, area in areas.items() if area >= max(areas.values()) - TIE]
    parts = max(as_good, key=lambda parts: (len(parts), areas[parts]))
    combined = ood_scores.combined(parts, inside, references)
    references = {part: references[part] for part in parts} | {"combined": combined}
    chosen = Detector(
        parts,
        detector.threshold(combined),
        layers,
        references,
        np.sort(np.abs(layers.deviations(held_out)), axis=0).astype(np.float32),
        classes,
        Validation(validation.labels, held_out.probabilities.astype(np.float32)),
    )
    fitted = Fitted(chosen, memory_bank, {}, {})
    scores = fitted.scores(held_out, inside)
    found = {
        kind: fitted.scores(outputs, outside[kind]) if outputs else None for kind, outputs in others.items()
    }
    return replace(
        fitted,
        thresholds={score: detector.threshold(values) for score, values in scores.items()},
        pseudo_ood={score: _separation(scores[score], score, found) for score in SCORES},
    )


def _separation(
    inside: np.ndarray, score: str, outside: Mapping[str, dict[str, np.ndarray] | None]
) -> dict[str, float | None]:
    areas = {kind: auroc.area(inside, found[score]) if found else None for kind, found in outside.items()}
    return {**areas, "mean": float(np.mean([area for area in areas.values() if area is not None]))}


def finished(fitted: Detector, measured: Mapping[str, Mapping[str, Any]], threshold_data: str) -> Detector:
    """Add the mean AUROC to a detector, and keep predictions for a temperature if it may have any.

    A model fits its training images too well: a temperature fitted to these would be too low.

    Args:
        fitted: from `fit`.
        measured: from `measure`.
        threshold_data: from `threshold_images`.
    """
    areas = [*measured["combined"]["auroc"].values()]
    known = replace(fitted, auroc=float(np.mean(areas)) if areas else None)
    if threshold_data == "validation":
        return known
    labels, probabilities = fitted.validation
    return replace(known, validation=Validation(labels[:0], probabilities[:0]))


def threshold_images(training: Split, validation: Split) -> tuple[Split, str]:
    """Return the images that set the threshold, and the name of their split.

    The split is `validation`, or `training` if there are no validation images. Training images have higher
    ID scores than new images, so a threshold from training images has a TPR below 95 % on new images.
    """
    if len(validation.labels):
        return validation, "validation"
    some = slice(None, MOST_HELD_OUT * HELD_OUT, HELD_OUT)
    return Split(training.images[some], training.labels[some]), "training"


def fitted_indices(images: int) -> np.ndarray:
    """Draw the indices of the images of `fit`, without those that `threshold_images` takes."""
    others = np.delete(np.arange(images), np.s_[::HELD_OUT]) if images > 1 else np.arange(images)
    return np.random.default_rng(0).permutation(others)[:FITTED]


def measure(
    thresholds: Mapping[str, float], found: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, dict[str, Any]]:
    """Measure every score on the test images (ID) and on OOD datasets.

    Args:
        thresholds: by score, from `fit`.
        found: `Fitted.scores` of `test` and of each OOD dataset.

    Returns:
        By score: threshold; tpr on the test images, auroc and fpr by OOD dataset (0 to 1).
    """
    inside, outside = found["test"], {name: scores for name, scores in found.items() if name != "test"}
    return {
        score: {
            "threshold": limit,
            "tpr": float((inside[score] >= limit).mean()),
            "auroc": {
                dataset: auroc.area(inside[score], scores[score]) for dataset, scores in outside.items()
            },
            "fpr": {dataset: float((scores[score] >= limit).mean()) for dataset, scores in outside.items()},
        }
        for score, limit in thresholds.items()
    }


def person_answer(fitted: Detector, outputs: "Outputs") -> dict[str, Any]:
    """Return the answer for one image as JSON.

    `id_score`, `p_value`, `layers` (p-values of the hidden layers, in order), and `probabilities` by class.
    """
    scores = fitted.id_scores(outputs)
    return {
        "id_score": float(scores[0]),
        "p_value": float(fitted.p_values(scores)[0]),
        "layers": fitted.layer_p_values(outputs)[0].tolist(),
        "probabilities": dict(zip(fitted.classes, outputs.probabilities[0].tolist(), strict=True)),
    }


def table(scores: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """List ID scores, (N,) by dataset, with a row per image: dataset, id_score (float32)."""
    frames = [pd.DataFrame({"dataset": dataset, "id_score": found}) for dataset, found in scores.items()]
    return pd.concat(frames).astype({"id_score": np.float32})[COLUMNS]
