"""The HTML pages. The text is in templates/; all values are escaped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cifar10.app import png, request_limits
from cifar10.app.examples import Example
from cifar10.app.recorded_mistakes import PER_PAGE
from cifar10.data import images
from cifar10.evaluation import nearest, predictions
from cifar10.report import render

TEMPLATES = Path(__file__).parent / "templates"


def index(examples: Sequence[Example], size: tuple[int, int], mistakes: bool) -> str:
    """Render the page with a button for each example, of the size that the models take.

    `mistakes` tells whether to link to the page of mistakes.
    """
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
        mistakes=mistakes,
    )


def mistakes(models: Sequence[str], classes: Sequence[str], problem: str | None) -> str:
    """Render the page of mistakes; with a problem, which says why there are none to show, only this."""
    numbers = {"per_page": PER_PAGE, "compared": nearest.IMAGES}
    return _render("mistakes.html.jinja", models=models, classes=classes, problem=problem, **numbers)


def docs() -> str:
    """Render the page on which Swagger UI shows the OpenAPI document."""
    return _render("docs.html.jinja")


def _render(template: str, **content: Any) -> str:
    return render.templates(TEMPLATES).get_template(template).render(**content)
