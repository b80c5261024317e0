"""The OOD detector of a trained model: it combines ID scores of the outputs and of the hidden layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cifar10 import files
from cifar10.errors import UserError
from cifar10.evaluation import ood_scores, temperature
from cifar10.evaluation.layer_distances import LayerStatistics
from cifar10.evaluation.ood_scores import LayerScores
from cifar10.evaluation.temperature import Validation

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs  # loads TensorFlow

TARGET_TPR = 0.95  # TPR at the threshold, on the validation images
RELIABLE = 0.8  # lowest mean AUROC on OOD datasets of a detector without a warning
LAYER = "layer_{}_{}"  # arrays of a layer in the file


@dataclass(frozen=True)
class Detector:
    """A combination of ID scores with its threshold.

    A p-value of a score is the share of validation images whose score is at most as high. The ID score is the
    sum of the logarithms of the parts' p-values (Fisher, Statistical Methods for Research Workers, 1925).

    Attributes:
        parts: some of `ood_scores.PARTS`.
        threshold: images with a lower ID score are out-of-distribution.
        layers: ID scores of the hidden layers.
        references: scores of the V validation images, float64 (V,): by part, ascending; `combined`, the ID
            scores, in the order of the images.
        deviations: float32 (V, L), of the validation images, ascending absolute values in each layer.
        classes: the model's class names.
        validation: predictions for the validation images, for the temperature of the probabilities.
        auroc: mean over the OOD datasets; None if none was measured.
    """

    parts: tuple[str, ...]
    threshold: float
    layers: LayerScores
    references: Mapping[str, np.ndarray]
    deviations: np.ndarray
    classes: list[str]
    validation: Validation = temperature.NONE
    auroc: float | None = None

    def id_scores(self, outputs: "Outputs") -> np.ndarray:
        """Return the ID scores, float64 (N,); 0 is the highest."""
        return ood_scores.combined(self.parts, ood_scores.part_scores(self.layers, outputs), self.references)

    def is_id(self, scores: np.ndarray) -> np.ndarray:
        """Tell which ID scores are in-distribution, bool (N,)."""
        return scores >= self.threshold

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Return the share of validation images that look at least as unusual, float64 (N,), above 0."""
        return ood_scores.p_values(scores, np.sort(self.references["combined"]))

    def layer_p_values(self, outputs: "Outputs") -> np.ndarray:
        """Return the same for each hidden layer alone, float64 (N, L)."""
        found = np.abs(self.layers.deviations(outputs)).astype(np.float32)
        columns = zip(found.T, self.deviations.T, strict=True)
        shares = [ood_scores.p_values(-values, -reference[::-1]) for values, reference in columns]
        return np.stack(shares, axis=1) if shares else np.zeros((len(found), 0))


def threshold(scores: np.ndarray) -> float:
    """Return the highest threshold with a TPR of at least TARGET_TPR on these ID scores."""
    return float(np.quantile(scores, 1 - TARGET_TPR, method="lower"))


def save(detector: Detector, path: Path) -> None:
    """Write a detector as .npz without pickles; equal detectors give equal bytes."""
    layers, arrays = detector.layers, {}
    for index, pair in enumerate(zip(layers.statistics.means, layers.statistics.factors, strict=True)):
        for name, array in zip(("mean", "factor"), pair, strict=True):
            arrays[LAYER.format(index, name)] = array
    with files.replacing(path) as beside:
        np.savez(
            beside,
            allow_pickle=False,
            parts=np.array(detector.parts),
            threshold=np.array(detector.threshold),
            auroc=np.array(np.nan if detector.auroc is None else detector.auroc),
            centre=layers.centre,
            scale=layers.scale,
            inverse=layers.inverse,
            deviations=detector.deviations,
            classes=np.array(detector.classes),
            validation_labels=detector.validation.labels,
            validation_probabilities=detector.validation.probabilities,
            **{f"reference_{part}": array for part, array in detector.references.items()},
            **arrays,
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
            detector = _detector(content)
    except Exception as error:  # zipfile, zlib and numpy raise many kinds of errors
        files.raise_system_error(error, path)
        raise UserError(
            f"{path} is damaged ({' '.join(str(error).split())}): run `dvc repro` to make it again"
        ) from None
    if not _is_sound(detector):
        raise UserError(f"{path} is not an OOD detector of `evaluate`: run `dvc repro` to make it again")
    return detector


def _detector(content: Any) -> Detector:
    number = len(content["centre"])
    statistics = LayerStatistics(
        *([content[LAYER.format(index, name)] for index in range(number)] for name in ("mean", "factor"))
    )
    layers = LayerScores(statistics, content["centre"], content["scale"], content["inverse"])
    parts, auroc = tuple(content["parts"].tolist()), float(content["auroc"])
    return Detector(
        parts,
        float(content["threshold"]),
        layers,
        {part: content[f"reference_{part}"] for part in (*parts, "combined")},
        content["deviations"],
        content["classes"].tolist(),
        Validation(content["validation_labels"], content["validation_probabilities"]),
        None if np.isnan(auroc) else auroc,
    )


def _is_sound(detector: Detector) -> bool:
    """Check types and shapes of what a file holds."""
    layers, number = detector.layers, len(detector.layers.centre)
    pairs = zip(layers.statistics.means, layers.statistics.factors, strict=True)
    return (
        0 < len(detector.parts) <= len(ood_scores.PARTS)
        and set(detector.parts) <= set(ood_scores.PARTS)
        and all(array.ndim == 1 and array.dtype == np.float64 for array in detector.references.values())
        and layers.centre.shape == layers.scale.shape == (number,)
        and layers.inverse.shape == (number, number)
        and detector.deviations.ndim == 2
        and detector.deviations.shape[1] == number
        and all(mean.ndim == 1 and factor.shape == (len(mean), len(mean)) for mean, factor in pairs)
        and isinstance(detector.classes, list)
        and detector.validation.is_of(len(detector.classes))
    )
