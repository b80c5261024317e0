"""Fit the OOD detector of a training, and measure it on the OOD datasets."""

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from cifar10.data import dataset
from cifar10.evaluation import ood, ood_images, pseudo_ood
from cifar10.evaluation.detector import Detector

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # loads TensorFlow


class OODResults(NamedTuple):
    """A detector and what it gives.

    Attributes:
        detector: fitted, with its mean AUROC.
        scores: a row per test or OOD image: dataset, id_score.
        metrics: content of the OOD metrics file.
    """

    detector: Detector
    scores: pd.DataFrame
    metrics: dict[str, Any]


def measure(extract: ood.FeatureExtractor, test: "Outputs", layers: list[str]) -> OODResults:
    """Fit the detector to images of data/processed, and measure it.

    Args:
        extract: from `features.feature_extractor`.
        test: outputs for the test images.
        layers: from `features.described_layers`.
    """
    training, classes = dataset.load("train"), dataset.class_names()
    validation, threshold_data = ood.threshold_images(training, dataset.load("validation"))
    pseudo = pseudo_ood.make(validation.images, validation.labels)
    fitted = ood.fit(extract, training, validation, pseudo, classes)
    outputs = {kind: extract(images) for kind, images in ood_images.load().items()}
    person, measured = ood_images.person(), ood.measure(fitted, test, outputs)
    detector = ood.finished(fitted.detector, measured, threshold_data)
    metrics = {
        "score": "combined",
        "parts": [*detector.parts],
        "auroc": detector.auroc,
        "pseudo_ood": fitted.pseudo_ood,
        "threshold_data": threshold_data,
        "scores": measured,
        "layers": layers,
        "person": None if person is None else ood.person_answer(detector, extract(person[None])),
    }
    return OODResults(detector, ood.table(detector, {"test": test, **outputs}), metrics)
