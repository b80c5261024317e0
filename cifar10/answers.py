"""Write a classifier's answers down: a table for people, JSON for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from cifar10.classifier import Answers, Classifier
from cifar10.listing import shown

NONE = "none of these"
HEAD = ["image", "model", "verdict", "most probable", "second", "third"]


def verdict(classes: Sequence[str], answers: Answers, image: int) -> str | None:
    """Name the class of an image, None if it is of none that the model knows."""
    return classes[answers.top(image, 1)[0]] if answers.accepted[image] else None


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
    names: Sequence[str], classifier: Classifier, found: Mapping[str, Answers], unreadable: Mapping[str, str]
) -> dict[str, Any]:
    """Gather the same for JSON, with every probability; the verdict is null for `none of these`.

    Args:
        names: N, of the images.
        classifier: that was asked.
        found: by model, for the N images.
        unreadable: reasons by name.
    """
    return {
        "classes": classifier.classes,
        "models": {
            name: {"score": detector.score, "threshold": detector.threshold}
            for name, detector in classifier.detectors.items()
        },
        "images": [
            {
                "image": name,
                "answers": {
                    model: _answer(classifier.classes, answers, index) for model, answers in found.items()
                },
            }
            for index, name in enumerate(names)
        ],
        "unreadable": [{"image": name, "reason": reason} for name, reason in unreadable.items()],
    }


def _answer(classes: Sequence[str], answers: Answers, index: int) -> dict[str, Any]:
    return {
        "verdict": verdict(classes, answers, index),
        "known": float(answers.known[index]),
        "probabilities": dict(zip(classes, answers.probabilities[index].tolist(), strict=True)),
    }
