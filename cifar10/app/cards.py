"""What the page shows, as HTML. The words are in templates/; all that comes from outside is escaped."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cifar10.app.examples import Example, png
from cifar10.app.limits import MAX_BYTES, MOST
from cifar10.app.provenance import Provenance
from cifar10.data import images
from cifar10.data.inputs import shown
from cifar10.evaluation import predictions
from cifar10.evaluation.ood import Detector
from cifar10.evaluation.predictions import Answers
from cifar10.report import render

TEMPLATES = Path(__file__).parent / "templates"


def page() -> str:
    """Write the parts of the page that are always there."""
    return _render("app.html.jinja", max_bytes=MAX_BYTES, most=MOST)


def about(models: Sequence[str], provenance: Provenance, trouble: str | None) -> str:
    """Write what the models are; `trouble` says why they cannot be asked, and what to run."""
    return _render("app_about.html.jinja", models=models, provenance=provenance, trouble=trouble)


def examples(found: Sequence[Example]) -> str:
    """Write a button for each example."""
    pictures = [
        {"label": example.label, "data": _encoded(png(images.read(example.content)))} for example in found
    ]
    return _render("app_examples.html.jinja", examples=pictures)


def problem(message: str) -> str:
    """Write why there is no answer."""
    return _render("app_problem.html.jinja", message=shown(message))


def answer(
    name: str, picture: np.ndarray, detectors: Mapping[str, Detector], found: Mapping[str, Answers]
) -> str:
    """Write what the models say of a picture.

    Args:
        name: of the picture.
        picture: uint8 (32, 32, 3).
        detectors: by model.
        found: by model, for this one picture.
    """
    models = [_model(model, detectors[model], said) for model, said in found.items()]
    return _render(
        "app_answer.html.jinja",
        name=shown(name),
        data=_encoded(png(picture)),
        models=models,
        novel=predictions.NONE,
    )


def _model(name: str, detector: Detector, said: Answers) -> dict[str, Any]:
    order = said.top(0, len(detector.classes))
    shares = [(detector.classes[label], float(said.probabilities[0, label])) for label in order]
    return {
        "name": name,
        "verdict": predictions.verdict(detector.classes, said, 0),
        "first": shares[:3],
        "others": shares[3:],
        "score": render.SCORES[detector.score],
        "id_score": float(said.id_scores[0]),
        "threshold": detector.threshold,
    }


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _render(template: str, **content: Any) -> str:
    return render.templates(TEMPLATES).get_template(template).render(**content)
