"""The HTML pages. The text is in templates/; all values are escaped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cifar10.app import png, request_limits
from cifar10.app.examples import Example
from cifar10.data import images
from cifar10.evaluation import predictions
from cifar10.report import render

TEMPLATES = Path(__file__).parent / "templates"


def index(examples: Sequence[Example], size: tuple[int, int]) -> str:
    """Render the page with a button for each example, of the size that the models take."""
    buttons = [
        {
            "label": example.label,
            "name": example.name,
            "picture": png.data_url(images.read(example.content, size)),
        }
        for example in examples
    ]
    return _render(
        "page.html.jinja",
        examples=buttons,
        size=size,
        max_bytes=request_limits.MAX_BYTES,
        max_files=request_limits.MAX_FILES,
        none_of_these=predictions.NONE,
        scores=render.SCORES,
    )


def docs() -> str:
    """Render the page on which Swagger UI shows the OpenAPI document."""
    return _render("docs.html.jinja")


def _render(template: str, **content: Any) -> str:
    return render.templates(TEMPLATES).get_template(template).render(**content)
