"""Ask trained models about new images: probabilities, and whether an image is of a known class at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cifar10 import params, paths
from cifar10.errors import UserError
from cifar10.evaluation import features, ood, trained_models
from cifar10.evaluation.ood import Detector, Look
from cifar10.evaluation.predictions import Answers
from cifar10.training import models


@dataclass(frozen=True)
class Classifier:
    """Trained models, loaded once; asking them changes nothing, so several threads may ask."""

    classes: list[str]
    detectors: dict[str, Detector]
    looks: dict[str, Look]

    def classify(self, images: np.ndarray) -> dict[str, Answers]:
        """Ask every model; an image gets the same answer, bit for bit, whatever others come with it.

        Args:
            images: uint8 (N, 32, 32, 3), as `images.read` gives them.

        Returns:
            Answers by model.
        """
        return {name: self._ask(name, images) for name in self.extractors}

    def _ask(self, name: str, images: np.ndarray) -> Answers:
        outputs = self.extractors[name](images)
        known = self.detectors[name].id_scores(outputs)
        return Answers(outputs.probabilities, known, self.detectors[name].is_id(known))


def load(names: Sequence[str] = ()) -> Classifier:
    """Build models from params.yaml and read their weights and thresholds; no code comes from those files.

    For answers that are the same bit for bit as those of `evaluate`, call `models.make_deterministic(seed=0)` before.

    Args:
        names: of models in params.yaml, by default all.

    Raises:
        UserError: a name is unknown, a file is missing, damaged or of another model; says what to run.
    """
    chosen = params.load()
    entries = {name: chosen.model(name) for name in names or chosen.models}
    detectors = {name: ood.load(paths.ood_detector(name)) for name in entries}
    classes = next(iter(detectors.values())).classes
    for name, detector in detectors.items():
        if detector.classes != classes:
            raise UserError(
                f"{paths.ood_detector(name)} is of other classes than the other models: run `dvc repro`"
            )
    looks = {}
    for name, entry in entries.items():
        model = models.build(name, entry, len(classes))
        trained_models.load_weights(model, paths.model(name))
        looks[name] = features.feature_extractor(model)
        _check_bank(name, detectors[name], looks[name])
    return Classifier(classes, detectors, looks)


def _check_bank(name: str, detector: Detector, look: Look) -> None:
    """Refuse a bank of features that the model does not have."""
    expected = look(np.zeros((0, *models.INPUT_SHAPE), np.uint8)).features.shape[1]
    if len(detector.memory_bank) and detector.memory_bank.shape[1] != expected:
        raise UserError(
            f"{paths.ood_detector(name)} holds {detector.memory_bank.shape[1]} features, {name} has {expected}: "
            "run `dvc repro`"
        )
