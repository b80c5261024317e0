"""Answers of models for new images, as a table and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from cifar10 import names as file_names
from cifar10.evaluation.detector import RELIABLE
from cifar10.evaluation.ensemble_detector import EnsembleDetector

NONE = "none of these"
HEAD = ["image", "model", "verdict", "unusual", "most probable", "second", "third"]


@dataclass(frozen=True)
class Answers:
    """Answers of one model for N images.

    Attributes:
        probabilities: float64 (N, K), rows sum to 1.
        id_scores: float64 (N,), higher is more in-distribution.
        p_values: float64 (N,), share of validation images that look at least as unusual.
        is_id: bool (N,), False for "none of these".
    """

    probabilities: np.ndarray
    id_scores: np.ndarray
    p_values: np.ndarray
    is_id: np.ndarray

    def top(self, image: int, most: int = 3) -> list[int]:
        """Return the labels of an image, the most probable first."""
        return np.argsort(-self.probabilities[image], kind="stable")[:most].tolist()


def joined(parts: Sequence[Answers]) -> Answers:
    """Join the answers of one model for parts of the images, in order."""
    return Answers(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Answers))
    )


def verdict(classes: Sequence[str], answers: Answers, image: int) -> str | None:
    """Return the class of an image, None for "none of these"."""
    return classes[answers.top(image, 1)[0]] if answers.is_id[image] else None


def table(names: Sequence[str], classes: Sequence[str], found: Mapping[str, Answers]) -> str:
    """Format a table with a row per image and model.

    Args:
        names: of the N images.
        classes: K class names.
        found: answers by model.
    """
    rows = [HEAD[: 4 + min(3, len(classes))]]
    for index, name in enumerate(names):
        for model, answers in found.items():
            top = [
                f"{classes[label]} {100 * answers.probabilities[index, label]:.1f} %"
                for label in answers.top(index)
            ]
            known, share = verdict(classes, answers, index) or NONE, percent(answers.p_values[index])
            rows.append([file_names.shown(name), model, known, share, *top])
    widths = [max(map(file_names.width, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(map(file_names.padded, row, widths)).rstrip() for row in rows)


def percent(p_value: float) -> str:
    """Write a p-value as a percentage with about two digits, such as 34 %, 2.1 % or 0.02 %."""
    digits = 0 if p_value >= 0.1 else 1 if p_value >= 0.01 else 2
    return f"{100 * p_value:.{digits}f} %"


def notes(detectors: Mapping[str, EnsembleDetector]) -> list[str]:
    """Name the models whose "none of these" is unreliable, in at most one sentence."""
    doubtful = [
        f"{name} ({detector.auroc:.2f})"
        for name, detector in detectors.items()
        if detector.auroc is not None and not detector.reliable
    ]
    if not doubtful:
        return []
    reason = f"the mean AUROC on OOD images is below {RELIABLE}"
    return [f'warning: "{NONE}" is unreliable, because {reason}: {", ".join(doubtful)}']


def content(
    names: Sequence[str],
    seeds: Sequence[int],
    detectors: Mapping[str, EnsembleDetector],
    temperatures: Mapping[str, float],
    found: Mapping[str, Answers],
    unreadable: Mapping[str, str],
    warnings: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Build the JSON content, with all probabilities; the verdict is null for "none of these".

    Args:
        names: of the N images.
        seeds: of the trainings whose mean probabilities are the answer; the detectors are of the first one.
        detectors: by model.
        temperatures: of the probabilities, by model.
        found: answers by model.
        unreadable: reason why an image cannot be read, by name of the image.
        warnings: what is missing in an image or a guess, by name of the image.
    """
    classes = next(iter(detectors.values())).classes
    return {
        "classes": classes,
        "models": described(seeds, detectors, temperatures),
        "images": [
            {
                "image": file_names.given(name),
                "answers": {model: _answer(classes, answers, index) for model, answers in found.items()},
                "warnings": [*warnings.get(name, ())],
            }
            for index, name in enumerate(names)
        ],
        "unreadable": [
            {"image": file_names.given(name), "reason": reason} for name, reason in unreadable.items()
        ],
    }


def described(
    seeds: Sequence[int], detectors: Mapping[str, EnsembleDetector], temperatures: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Describe the models: seeds, ID score and threshold of the detector, its mean AUROC, temperature."""
    return {
        name: {
            "seeds": [*seeds],
            "score": "combined",
            "parts": [*detector.parts],
            "threshold": detector.threshold,
            "auroc": detector.auroc,
            "reliable": detector.reliable,
            "temperature": temperatures[name],
        }
        for name, detector in detectors.items()
    }


def _answer(classes: Sequence[str], answers: Answers, index: int) -> dict[str, Any]:
    return {
        "verdict": verdict(classes, answers, index),
        "id_score": float(answers.id_scores[index]),
        "p_value": float(answers.p_values[index]),
        "probabilities": dict(zip(classes, answers.probabilities[index].tolist(), strict=True)),
    }
