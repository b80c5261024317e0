"""Saliency maps of a trained model for test images and the portrait, and the portrait's nearest images."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from cifar10 import files
from cifar10.data import dataset
from cifar10.evaluation import nearest, ood_images

if TYPE_CHECKING:
    from cifar10.evaluation.detector_fit import FeatureExtractor  # loads pandas and scikit-learn

SHOWN = 7  # test images
Explainer = Callable[[np.ndarray, np.ndarray], np.ndarray]  # from `gradcam.explainer`


@dataclass(frozen=True)
class Explanations:
    """Explanations of one trained model. H = W = 0 if the model has no layer for a map.

    P is 1, or 0 if the portrait is left out.

    Attributes:
        images: int64 (N,), indices of test images.
        predicted: int64 (N,), their labels.
        maps: uint8 (N, H, W), from `gradcam.explainer`, of the predicted labels.
        person_predicted: int64 (P,).
        person_maps: uint8 (P, H, W).
        nearest: int64 (P, M), indices of training images, the most similar first.
        similarity: float64 (P, M), cosine similarity of their features.
    """

    images: np.ndarray
    predicted: np.ndarray
    maps: np.ndarray
    person_predicted: np.ndarray
    person_maps: np.ndarray
    nearest: np.ndarray
    similarity: np.ndarray


def explain(
    explainer: Explainer | None,
    extract: "FeatureExtractor",
    test: np.ndarray,
    training: np.ndarray,
    person: np.ndarray | None,
) -> Explanations:
    """Explain the answers of a model for random test images and for the portrait.

    Args:
        explainer: from `gradcam.explainer`.
        extract: from `features.feature_extractor`.
        test: uint8 (N, 32, 32, 3).
        training: the same.
        person: uint8 (32, 32, 3), or None.
    """
    chosen = np.random.default_rng(0).permutation(len(test))[:SHOWN]  # as in the report with report.seed 0
    portrait = test[:0] if person is None else person[None]
    asked = np.concatenate([test[chosen], portrait])
    compared = nearest.sample(len(training))
    outputs = extract(np.concatenate([asked, training[compared]]))  # together: fewer batches
    predicted = outputs.probabilities[: len(asked)].argmax(axis=1)
    maps = explainer(asked, predicted) if explainer else np.zeros((len(asked), 0, 0), np.uint8)
    own, others = outputs.features[len(chosen) : len(asked)], outputs.features[len(asked) :]
    found = [nearest.nearest(features, others) for features in own]
    few = min(nearest.NEAREST, len(compared))
    count = len(chosen)
    return Explanations(
        images=chosen,
        predicted=predicted[:count],
        maps=maps[:count],
        person_predicted=predicted[count:],
        person_maps=maps[count:],
        nearest=np.array([compared[rows] for rows, _ in found], np.int64).reshape(len(own), few),
        similarity=np.array([values for _, values in found], np.float64).reshape(len(own), few),
    )


def write(explainer: Explainer | None, extract: "FeatureExtractor", path: Path) -> None:
    """Write the explanations of the images in data/processed.

    Raises:
        UserError: these images do not exist.
    """
    test, training = dataset.load("test").images, dataset.load("train").images
    save(explain(explainer, extract, test, training, ood_images.person()), path)


def save(found: Explanations, path: Path) -> None:
    """Write explanations as .npz without pickles; equal ones give equal bytes."""
    with files.replacing(path) as beside:
        np.savez(beside, **vars(found))


def load(path: Path) -> Explanations:
    """Read explanations.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            return Explanations(*(content[field.name] for field in fields(Explanations)))
    except (KeyError, BadZipFile) as error:
        raise ValueError(error) from None
