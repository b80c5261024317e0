"""The report as pages: results in, Markdown or HTML text out. The words are in templates/."""

import base64
import math
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2

from cifar10.evaluation import significance
from cifar10.evaluation.predictions import NONE, Answers, verdict
from cifar10.params import KerasObject, Params, Reference
from cifar10.report import results
from cifar10.report.results import Results

TEMPLATES = Path(__file__).parent / "templates"
DATA = {
    "cifar10": "CIFAR-10",
    "digits": "scikit-learn's handwritten digits",
    "folder": "pictures from a folder",
}
SCORES = {"probability": "largest probability", "energy": "energy", "distance": "distance of features"}


def _fact(value: Any) -> str:
    """Write a fact about the data for people: yes and no, thousands with commas."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _plain(text: str) -> str:
    """Write a text into Markdown so that it is read as it is, in one line."""
    return re.sub(r"([\\`*_\[\]<>|&$~])", r"\\\1", " ".join(text.split()))


FILTERS: dict[str, Callable[..., str]] = {
    "percent": lambda share: f"{100 * share:.2f} %",
    "four": lambda value: f"{value:.4f}",
    "thousands": lambda count: f"{count:,}",
    "megabytes": lambda size: f"{size / 1e6:.1f} MB",
    "p": significance.p_text,
    "listed": significance.listed,
    "fact": _fact,
    "plain": _plain,
}


def markdown(found: Results, params: Params) -> str:
    """Write the results table with the verdict below it."""
    return render("results.md.jinja", found, params)


def html(found: Results, params: Params, figures: Mapping[str, bytes]) -> str:
    """Write the report as one HTML page that needs no other file.

    Args:
        found: what is reported.
        params: the parameters it came about with.
        figures: PNG files by name, as `stages/report.py` draws them.
    """
    images = {
        name: {
            "data": base64.b64encode(content).decode("ascii"),
            "size": struct.unpack(">II", content[16:24]),  # width and height in dots, from the PNG's header
        }
        for name, content in figures.items()
    }
    page = render("report.html.jinja", found, params, figures=images)
    return page.replace(" %", "\u00a0%")  # no line ends between a number and its %


def templates(folder: Path = TEMPLATES) -> jinja2.Environment:
    """Give the templates of a folder; what goes into HTML is escaped, Markdown needs it case by case."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, found: Results, params: Params, **more: Any) -> str:
    """Fill a template with the results, and with what else it asks for."""
    environment = templates()
    environment.filters |= FILTERS
    return environment.get_template(template).render(**_context(found, params), **more)


def _context(found: Results, params: Params) -> dict[str, Any]:
    published = params.report.reference if found.source["source"] == "cifar10" else {}
    return {
        "source": found.source["source"],
        "data": DATA[found.source["source"]],
        "dataset": found.dataset,
        "measured": _measured(found),
        "epochs": len(found.models[0].history),
        "validated": found.images["validation"] > 0,
        "chance_loss": math.log(len(found.classes)),  # nats
        "models": found.models,
        "best": max(model.metrics["test"]["accuracy"] for model in found.models),
        "published": {model.name: published[model.name] for model in found.models if model.name in published},
        "sizes": _sizes(found, published),
        "verdict": significance.verdict(found.correct),
        "pairs": significance.pairs(found.correct),
        "mixed_up": {m.name: next(iter(results.top_confusions(found, m, 1)), None) for m in found.models},
        "architectures": _architectures(found),
        "kinds": [*found.models[0].rejection["auroc"]],
        "persons": {model.name: _person(found.classes, model.person) for model in found.models},
        "rejected": _rejected(found),
        "score_words": SCORES,
        "optimizers": {name: _optimizer(model.optimizer) for name, model in params.models.items()},
    }


def _person(classes: list[str], answers: Answers) -> dict[str, Any]:
    """Gather what a model says of a person: verdict, and the most probable classes with their shares."""
    top = [(classes[label], float(answers.probabilities[0, label])) for label in answers.top(0)]
    return {"verdict": verdict(classes, answers, 0) or NONE, "top": top}


def _rejected(found: Results) -> dict[str, str]:
    """Say of each model in half a sentence what it rejects, least first."""
    return {
        model.name: significance.listed(
            [
                f"{100 * share:.0f} % of {kind}"
                for kind, share in sorted(model.rejection["rejected"].items(), key=lambda item: item[1])
            ]
        )
        for model in found.models
    }


def origin(source: Mapping[str, Any]) -> str:
    """Name the data by the facts that `download` wrote down about their source."""
    if source["source"] != "cifar10":
        return f"{DATA[source['source']]}, not CIFAR-10"
    if source["official"]:
        return f"CIFAR-10, the official archive (SHA-256 {source['sha256']})"
    return f"a copy of CIFAR-10 whose SHA-256 is {source['sha256']}, not the official archive"


def _measured(found: Results) -> str:
    """Say on which data, exactly."""
    train, validation, test = (f"{found.images[split]:,}" for split in results.SPLITS)
    return (
        f"Measured on {origin(found.source)}: {train} training, {validation} validation and {test} test "
        f"images in {len(found.classes)} classes. {arithmetic_used(found)}"
    )


def arithmetic_used(found: Results) -> str:
    """Say which arithmetic computed the models and their figures, and warn where it is not one for all."""
    used = {model.name: model.metrics["model"] for model in found.models}
    steps = {
        f"{name} was {step}": kinds[f"{step}_on"]
        for name, kinds in used.items()
        for step in ("trained", "evaluated")
    }
    if len(kinds := set(steps.values())) == 1:
        return f"Trained and evaluated on {kinds.pop()}."
    listed = significance.listed([f"{step} on {kind}" for step, kind in steps.items()])
    return f"Mixed arithmetic, so figures differ by more than the models do: {listed}."


def _sizes(found: Results, published: Mapping[str, Reference]) -> str:
    """Say whether the models have as many parameters as the published ones; "" if none is published."""
    pairs = [
        (model.name, model.metrics["model"]["parameters"], published[model.name].parameters)
        for model in found.models
        if model.name in published
    ]
    others = [f"{name} ({theirs:,})" for name, ours, theirs in pairs if ours != theirs]
    if others:
        return f"The published parameter count differs for {significance.listed(others)}."
    return "The parameter counts are the published ones." if pairs else ""


def _architectures(found: Results) -> list[tuple[list[str], list[dict[str, Any]]]]:
    """Gather models with the same layers: their names, the layers."""
    groups: list[tuple[list[str], list[dict[str, Any]]]] = []
    for model in found.models:
        names = next((names for names, layers in groups if layers == model.architecture), None)
        if names is None:
            groups.append(([model.name], model.architecture))
        else:
            names.append(model.name)
    return groups


def _optimizer(optimizer: KerasObject) -> str:
    ((name, arguments),) = optimizer.items()
    return (
        f"{name} ({', '.join(f'{key} {value}' for key, value in arguments.items())})" if arguments else name
    )
