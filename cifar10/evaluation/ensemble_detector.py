"""The OOD detector of a model: the mean of the ID scores of its trainings' detectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cifar10.evaluation import detector, ood_scores
from cifar10.evaluation.detector import RELIABLE, Detector

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # loads TensorFlow


@dataclass(frozen=True)
class EnsembleDetector:
    """Detectors of the trainings of a model, at least one, which decide together.

    Attributes:
        detectors: one per training.
        reference: ascending mean scores of the V validation images, float64 (V,).
        threshold: images with a lower mean score are out-of-distribution.
    """

    detectors: Sequence[Detector]
    reference: np.ndarray
    threshold: float

    @property
    def classes(self) -> list[str]:
        """The class names."""
        return self.detectors[0].classes

    @property
    def parts(self) -> list[str]:
        """The ID scores that at least one of the detectors combines."""
        return [part for part in ood_scores.PARTS if any(part in each.parts for each in self.detectors)]

    @property
    def auroc(self) -> float | None:
        """Mean over the detectors of their mean AUROC on OOD datasets; None if none was measured."""
        return mean_auroc([each.auroc for each in self.detectors])

    @property
    def reliable(self) -> bool | None:
        """Whether that is at least RELIABLE; None if it is unknown."""
        return is_reliable(self.auroc)

    def id_scores(self, outputs: Sequence["Outputs"]) -> np.ndarray:
        """Return the mean ID scores, float64 (N,), from the outputs of each training."""
        pairs = zip(self.detectors, outputs, strict=True)
        return np.mean([each.id_scores(found) for each, found in pairs], axis=0)

    def is_id(self, scores: np.ndarray) -> np.ndarray:
        """Tell which mean ID scores are in-distribution, bool (N,)."""
        return scores >= self.threshold

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Return the share of validation images that look at least as unusual, float64 (N,), above 0."""
        return ood_scores.p_values(scores, self.reference)


def combine(detectors: Sequence[Detector]) -> EnsembleDetector:
    """Combine the detectors of the trainings of a model.

    Raises:
        ValueError: they were fitted to different numbers of validation images.
    """
    reference = np.sort(np.mean([each.references["combined"] for each in detectors], axis=0))
    return EnsembleDetector(detectors, reference, detector.threshold(reference))


def is_reliable(area: float | None) -> bool | None:
    """Tell whether a mean AUROC is at least RELIABLE; None if it is unknown."""
    return None if area is None else area >= RELIABLE


def mean_auroc(areas: Sequence[float | None]) -> float | None:
    """Average the mean AUROC of trainings; None if one is unknown."""
    known: list[Any] = [area for area in areas if area is not None]
    return float(np.mean(known)) if len(known) == len(areas) else None
