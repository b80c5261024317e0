"""What models say of new images, and how to write it down: a table for people, JSON for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cifar10.data.inputs import shown
from cifar10.evaluation.ood import Detector

NONE = "none of these"
HEAD = ["image", "model", "verdict", "most probable", "second", "third"]


@dataclass(frozen=True)
class Answers:
    """What one model says of N images.

    `probabilities` are float64 (N, K), rows sum to 1; `known` float64 (N,), the higher the more like a known
    class; `accepted` bool (N,), False for "none of these".
    """

    probabilities: np.ndarray
    known: np.ndarray
    accepted: np.ndarray

    def top(self, image: int, most: int = 3) -> list[int]:
        """Give the classes of an image, the most probable first."""
        return np.argsort(-self.probabilities[image], kind="stable")[:most].tolist()


def verdict(classes: Sequence[str], answers: Answers, image: int) -> str | None:
    """Name the class of an image, None if it is of none that the model knows."""
    return classes[answers.top(image, 1)[0]] if answers.is_id[image] else None


def table(names: Sequence[str], classes: Sequence[str], found: Mapping[str, Answers]) -> str:
    """Write a line per image and model, in columns.

    Args:
        names: N, of the images.
        classes: K names.
        found: by model, for the N images.
    """
    rows = [HEAD[: 3 + min(3, len(classes))]]
    for index, name in enumerate(names):
        for model, answers in found.items():
            top = [
                f"{classes[label]} {100 * answers.probabilities[index, label]:.1f} %"
                for label in answers.top(index)
            ]
            rows.append([shown(name), model, verdict(classes, answers, index) or NONE, *top])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def content(
    names: Sequence[str],
    detectors: Mapping[str, Detector],
    found: Mapping[str, Answers],
    unreadable: Mapping[str, str],
) -> dict[str, Any]:
    """Gather the same for JSON, with every probability; the verdict is null for `none of these`.

    Args:
        names: N, of the images.
        detectors: by model.
        found: by model, for the N images.
        unreadable: reasons by name.
    """
    classes = next(iter(detectors.values())).classes
    return {
        "classes": classes,
        "models": {
            name: {"score": detector.score, "threshold": detector.threshold}
            for name, detector in detectors.items()
        },
        "images": [
            {
                "image": name,
                "answers": {model: _answer(classes, answers, index) for model, answers in found.items()},
            }
            for index, name in enumerate(names)
        ],
        "unreadable": [{"image": name, "reason": reason} for name, reason in unreadable.items()],
    }


def _answer(classes: Sequence[str], answers: Answers, index: int) -> dict[str, Any]:
    return {
        "verdict": verdict(classes, answers, index),
        "id_score": float(answers.id_scores[index]),
        "probabilities": dict(zip(classes, answers.probabilities[index].tolist(), strict=True)),
    }
