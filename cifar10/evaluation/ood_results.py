"""Fit the OOD detector of a training, and measure it on the OOD datasets and on corrupted test images."""

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from cifar10.data import dataset
from cifar10.evaluation import corrupted, detector_fit, ood_images, pseudo_ood
from cifar10.evaluation.detector import Detector

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # loads TensorFlow


class OODResults(NamedTuple):
    """A detector and what it gives.

    Attributes:
        detector: fitted, with its mean AUROC.
        scores: a row per validation, test, OOD and corrupted image: dataset, id_score.
        metrics: content of the OOD metrics file.
    """

    detector: Detector
    scores: pd.DataFrame
    metrics: dict[str, Any]


def measure(
    extract: detector_fit.FeatureExtractor,
    test: "Outputs",
    layers: list[str],
    plain: detector_fit.FeatureExtractor | None = None,
) -> OODResults:
    """Fit the detector to images of data/processed, and measure it.

    Args:
        extract: from `features.feature_extractor`.
        test: outputs for the test images.
        layers: from `features.described_layers`.
        plain: `extract` without mirror images, for `detector_fit.fit`.
    """
    training, classes = dataset.load("train"), dataset.class_names()
    validation, threshold_data = detector_fit.threshold_images(training, dataset.load("validation"))
    pseudo = pseudo_ood.make(validation.images, validation.labels)
    fitted = detector_fit.fit(extract, training, validation, pseudo, classes, plain)
    outputs = {"test": test} | {kind: extract(images) for kind, images in ood_images.load().items()}
    scores = {kind: fitted.scores(found) for kind, found in outputs.items()}
    measured = detector_fit.measure(fitted.thresholds, scores)
    detector = detector_fit.finished(fitted.detector, measured, threshold_data)
    of_corrupted = {
        kind: detector.id_scores(extract(images))
        for kind, images in corrupted.make(dataset.load("test").images).items()
    }
    person = ood_images.person()
    metrics = {
        "score": "combined",
        "parts": [*detector.parts],
        "auroc": detector.auroc,
        "pseudo_ood": fitted.pseudo_ood,
        "threshold_data": threshold_data,
        "scores": measured,
        "corrupted": {kind: float(detector.is_id(found).mean()) for kind, found in of_corrupted.items()},
        "layers": layers,
        "person": None if person is None else detector_fit.person_answer(detector, extract(person[None])),
    }
    table = detector_fit.table(
        {"validation": detector.references["combined"]}
        | {kind: found["combined"] for kind, found in scores.items()}
        | {corrupted.dataset(kind): found for kind, found in of_corrupted.items()}
    )
    return OODResults(detector, table, metrics)
