"""Classify new images with trained models, and detect out-of-distribution images.

The answer of a model is that of the ensemble of its trainings, one per seed: the mean of their probabilities.
The mean ID score of the trainings' OOD detectors decides which images are in-distribution.

A temperature, fitted to the validation predictions of the same trainings, scales the mean probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cifar10.errors import UserError
from cifar10.evaluation import (
    detector,
    ensemble,
    ensemble_detector,
    features,
    gradcam,
    input_size,
    saliency,
    temperature,
    trained_models,
)
from cifar10.evaluation.detector import Detector
from cifar10.evaluation.ensemble_detector import EnsembleDetector
from cifar10.evaluation.explanations import Explainer
from cifar10.evaluation.predictions import Answers
from cifar10.predict.model_folder import HERE, ModelFolder
from cifar10.training import models

if TYPE_CHECKING:
    from cifar10.evaluation.detector_fit import FeatureExtractor  # loads pandas and scikit-learn


@dataclass(frozen=True)
class Classifier:
    """Trained models with their OOD detectors. Calls change no state, so threads can share one.

    Attributes:
        classes: class names.
        size: height and width of the images, in pixels.
        seeds: of the trainings of each model, at least one.
        detectors: by model, the OOD detectors of its trainings.
        temperatures: by model, of the mean probabilities; 1 without enough validation images.
        extractors: by model, one per seed.
        explainers: by model, one per seed; none if the model has no saliency maps.
    """

    classes: list[str]
    size: tuple[int, int]
    seeds: list[int]
    detectors: dict[str, EnsembleDetector]
    temperatures: dict[str, float]
    extractors: "dict[str, list[FeatureExtractor]]"
    explainers: dict[str, list[Explainer]]

    def classify(self, images: np.ndarray) -> dict[str, Answers]:
        """Classify images with every model. The answer for an image does not depend on the other images.

        Args:
            images: uint8 (N, H, W, 3) of `size`, as `images.read` returns them.

        Returns:
            Answers by model.
        """
        return {name: self._classify(name, images) for name in self.extractors}

    def explain(self, name: str, images: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
        """Return the saliency maps of a model, uint8 (N, h, w), the mean over its trainings.

        Args:
            name: of the model.
            images: uint8 (N, H, W, 3) of `size`.
            labels: int (N,), the classes to explain.

        Returns:
            None if the model has no saliency maps. The map of an image does not depend on the other images.
        """
        maps = [explain(images, labels) for explain in self.explainers[name]]
        return saliency.mean(maps) if maps else None

    def _classify(self, name: str, images: np.ndarray) -> Answers:
        outputs = [extract(images) for extract in self.extractors[name]]
        probabilities = ensemble.mean_probabilities([output.probabilities for output in outputs])
        found = self.detectors[name]
        id_scores = found.id_scores(outputs)
        probabilities = temperature.scaled(probabilities, self.temperatures[name])
        return Answers(probabilities, id_scores, found.p_values(id_scores), found.is_id(id_scores))


def load(names: Sequence[str] = (), seed: str | None = None, folder: ModelFolder = HERE) -> Classifier:
    """Build models from params.yaml, then read their weights and detectors. These files cannot run code.

    Call `models.make_deterministic(seed=0)` first: the probabilities of a single training, before the
    temperature, then equal those of `evaluate`, bit for bit.

    Args:
        names: of models in params.yaml; all of them if empty.
        seed: the one training of each model to use, as text; None for all of `train.seeds`.
        folder: has params.yaml and the files of the models; by default those of the working directory.

    Raises:
        UserError: a name or the seed is unknown, or a file is missing, damaged or of another model.
    """
    chosen = folder.load_params()
    entries = {name: chosen.model(name) for name in names or chosen.models}
    seeds = chosen.train.seeds if seed is None else [chosen.seed(seed)]
    _check_presence([*entries], seeds, folder)
    folder.check(entries, seeds)
    files = {training: folder.ood_detector(*training) for training in product(entries, seeds)}
    each_detector = {training: detector.load(file) for training, file in files.items()}
    classes = next(iter(each_detector.values())).classes
    for training, each in each_detector.items():
        if each.classes != classes:
            raise UserError(f"{files[training]} has other classes than the other models: run `dvc repro`")
    fitted = {name: temperature.fit([each_detector[name, s].validation for s in seeds]) for name in entries}
    extractors: dict[str, list[FeatureExtractor]] = {name: [] for name in entries}
    explainers: dict[str, list[Explainer]] = {name: [] for name in entries}
    size = input_size.common(folder.model(*training) for training in files)
    for (name, entry), each_seed in product(entries.items(), seeds):
        model = models.build(name, entry, len(classes), (*size, 3))
        trained_models.load_weights(model, folder.model(name, each_seed))
        mirror = name in chosen.predict.mirror
        extractors[name].append(features.feature_extractor(model, mirror))
        if explainer := gradcam.explainer(model, mirror):
            explainers[name].append(explainer)
    for (name, each_seed), found in each_detector.items():
        extract = extractors[name][seeds.index(each_seed)]
        _check_layers(name, files[name, each_seed], found, extract, size)
    detectors = {name: _combined(name, [each_detector[name, s] for s in seeds]) for name in entries}
    temperatures = {name: 1.0 if found is None else found for name, found in fitted.items()}
    return Classifier(classes, size, seeds, detectors, temperatures, extractors, explainers)


def _check_presence(names: Sequence[str], seeds: Sequence[int], folder: ModelFolder) -> None:
    """Refuse an ensemble of which some trainings are present and others are not."""
    present = {name: [seed for seed in seeds if folder.model(name, seed).exists()] for name in names}
    common = [seed for seed in seeds if all(seed in found for found in present.values())]
    if not any(present.values()) or len(common) == len(seeds):
        return  # nothing is here, which `load` reports with the first file, or everything
    found = "; ".join(f"{name}: {', '.join(map(str, own)) or 'none'}" for name, own in present.items())
    one = f", or answer with one training: --seed {common[0]}" if common else ""
    raise UserError(
        f"expected the seeds {', '.join(map(str, seeds))} of each model in {folder.root}, found {found}: "
        f"{folder.advice} for the others{one}"
    )


def _combined(name: str, detectors: Sequence[Detector]) -> EnsembleDetector:
    try:
        return ensemble_detector.combine(detectors)
    except ValueError:
        raise UserError(
            f"the OOD detectors of {name} were fitted to different images: run `dvc repro`"
        ) from None


def _check_layers(
    name: str, file: Path, found: Detector, extract: "FeatureExtractor", size: tuple[int, int]
) -> None:
    """Refuse a detector of layers with other numbers of features than those of the model."""
    expected = [layer.shape[1] for layer in extract(np.zeros((0, *size, 3), np.uint8)).layers]
    widths = [len(mean) for mean in found.layers.statistics.means]
    if widths != expected:
        raise UserError(f"{file} has layers of {widths} features, {name} has {expected}: run `dvc repro`")
