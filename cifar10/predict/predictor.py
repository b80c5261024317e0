"""Classify new images with trained models, and detect out-of-distribution images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cifar10 import params, paths
from cifar10.errors import UserError
from cifar10.evaluation import features, ood, trained_models
from cifar10.evaluation.ood import Detector, FeatureExtractor
from cifar10.evaluation.predictions import Answers
from cifar10.training import models


@dataclass(frozen=True)
class Classifier:
    """Trained models with their OOD detectors. Calls change no state, so threads can share one."""

    classes: list[str]
    detectors: dict[str, Detector]
    extractors: dict[str, FeatureExtractor]

    def classify(self, images: np.ndarray) -> dict[str, Answers]:
        """Classify images with every model. The answer for an image does not depend on the other images.

        Args:
            images: uint8 (N, 32, 32, 3), as `images.read` returns them.

        Returns:
            Answers by model.
        """
        return {name: self._classify(name, images) for name in self.extractors}

    def _classify(self, name: str, images: np.ndarray) -> Answers:
        outputs = self.extractors[name](images)
        id_scores = self.detectors[name].id_scores(outputs)
        return Answers(outputs.probabilities, id_scores, self.detectors[name].is_id(id_scores))


def load(names: Sequence[str] = ()) -> Classifier:
    """Build models from params.yaml, then read their weights and detectors. These files cannot run code.

    Call `models.make_deterministic(seed=0)` first: answers then equal those of `evaluate`, bit for bit.

    Args:
        names: of models in params.yaml; all of them if empty.

    Raises:
        UserError: a name is unknown, or a file is missing, damaged or of another model.
    """
    chosen = params.load()
    entries = {name: chosen.model(name) for name in names or chosen.models}
    detectors = {name: ood.load(paths.ood_detector(name)) for name in entries}
    classes = next(iter(detectors.values())).classes
    for name, detector in detectors.items():
        if detector.classes != classes:
            raise UserError(
                f"{paths.ood_detector(name)} has other classes than the other models: run `dvc repro`"
            )
    extractors = {}
    for name, entry in entries.items():
        model = models.build(name, entry, len(classes))
        trained_models.load_weights(model, paths.model(name))
        extractors[name] = features.feature_extractor(model)
        _check_bank(name, detectors[name], extractors[name])
    return Classifier(classes, detectors, extractors)


def _check_bank(name: str, detector: Detector, extract: FeatureExtractor) -> None:
    """Refuse a memory bank with another number of features than the model."""
    expected = extract(np.zeros((0, *models.INPUT_SHAPE), np.uint8)).features.shape[1]
    found = detector.memory_bank.shape[1]
    if len(detector.memory_bank) and found != expected:
        raise UserError(
            f"{paths.ood_detector(name)} has {found} features, {name} has {expected}: run `dvc repro`"
        )
