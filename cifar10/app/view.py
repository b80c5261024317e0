"""What the page shows, as HTML: every text in it is escaped."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from cifar10 import answers
from cifar10.answers import Answers
from cifar10.listing import shown

SHOWN = 5  # classes of each model, the most probable ones
FOLDER = Path(__file__).parents[1] / "templates"
CSS = FOLDER / "app.css"


def head(origin: Mapping[str, Any], error: str) -> str:
    """Say what the page is, where its models come from, and if there are none, what to run."""
    return _render("app_head.html.jinja", origin=origin, error=error)


def results(
    pictures: Mapping[str, np.ndarray],
    classes: Sequence[str],
    found: Mapping[str, Answers],
    refused: Sequence[str],
) -> str:
    """Show pictures as the models see them, and what each model says of them.

    Args:
        pictures: uint8 (32, 32, 3) by name.
        classes: K names.
        found: answers for these pictures, by model.
        refused: lines on files that could not be read.
    """
    rows = [
        {
            "name": shown(name),
            "picture": _uri(picture),
            "models": [
                {"name": model, **_answer(classes, answered, index)} for model, answered in found.items()
            ],
        }
        for index, (name, picture) in enumerate(pictures.items())
    ]
    return _render("app_results.html.jinja", rows=rows, refused=[shown(line) for line in refused])


def _answer(classes: Sequence[str], found: Answers, index: int) -> dict[str, Any]:
    return {
        "verdict": answers.verdict(classes, found, index),
        "none": answers.NONE,
        "bars": [
            (classes[label], float(found.probabilities[index, label])) for label in found.top(index, SHOWN)
        ],
    }


def _uri(picture: np.ndarray) -> str:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"


def _render(template: str, **content: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**content)
