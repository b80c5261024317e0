"""Render the results as Markdown and HTML. The texts are in templates/."""

import base64
import functools
import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from cifar10.data import class_names
from cifar10.evaluation import nearest, replicates, significance
from cifar10.evaluation.detector import RELIABLE
from cifar10.params import Params, Reference
from cifar10.report import (
    audit_words,
    costs,
    imbalance_words,
    mistakes,
    ood_words,
    person_words,
    results,
    training_words,
)
from cifar10.report.results import Results

TEMPLATES = Path(__file__).parent / "templates"
DATA = {
    "cifar10": "CIFAR-10",
    "digits": "scikit-learn's handwritten digits",
    "folder": "pictures from a folder",
}
OTHER_CLASSES = "an archive in the layout of CIFAR-10 with other classes"
SCORES = {
    "combined": "combined",
    "msp": "MSP",
    "energy": "energy",
    "knn": "k-NN distance",
    "layers": "layers",
    "joint": "layers together",
}


class Verdict(NamedTuple):
    """The comparison in words: a headline, the sentences about each pair, and the limits."""

    headline: str
    pairs: list[str]
    limits: list[str]


def _fact(value: Any) -> str:
    """Format a fact about the data: yes or no, thousands with commas."""
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
    """Escape a text for Markdown, on one line."""
    return re.sub(r"([\\`*_\[\]<>|&$~])", r"\\\1", " ".join(text.split()))


def _spread(found: Mapping[str, float | None], share: bool = True) -> str:
    """Format a mean with its standard deviation: "66.74 ± 0.31 %", or without for one training."""
    factor, decimals, unit = (100, 2, " %") if share else (1, 4, "")
    numbers = [number for number in (found["mean"], found["sd"]) if number is not None]
    return " ± ".join(f"{factor * number:.{decimals}f}" for number in numbers) + unit


def _counted(count: int, word: str) -> str:
    """Format a number of things: "1 seed", "3 seeds"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


FILTERS: dict[str, Callable[..., str]] = {
    "percent": lambda share: f"{100 * share:.2f} %",
    "four": lambda value: f"{value:.4f}",
    "thousands": lambda count: f"{count:,}",
    "spread": _spread,
    "counted": _counted,
    "multiply_adds": costs.words,
    "megabytes": lambda size: f"{size / 1e6:.1f} MB",
    "p": significance.p_text,
    "listed": significance.listed,
    "fact": _fact,
    "plain": _plain,
}


def markdown(found: Results, params: Params) -> str:
    """Render the results table and the verdict."""
    return render("results.md.jinja", found, params)


def html(found: Results, params: Params, figures: Mapping[str, bytes]) -> str:
    """Render the report as one self-contained HTML page.

    Args:
        found: the results.
        params: parameters of the run.
        figures: PNG files by name.
    """
    images = {
        name: {
            "data": base64.b64encode(content).decode("ascii"),
            "size": struct.unpack(">II", content[16:24]),  # width and height in pixels, from the PNG header
        }
        for name, content in figures.items()
    }
    page = render("report.html.jinja", found, params, figures=images, mistakes=mistakes.describe(found))
    return page.replace(" %", "\u00a0%")  # no line break between a number and its %


@functools.cache
def templates(folder: Path = TEMPLATES) -> jinja2.Environment:
    """Return the templates of a folder. HTML is escaped automatically, Markdown by the filter `plain`."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, found: Results, params: Params, **more: Any) -> str:
    """Render a template with the results and further variables."""
    environment = templates()
    environment.filters |= FILTERS
    return environment.get_template(template).render(**_context(found, params), **more)


def _context(found: Results, params: Params) -> dict[str, Any]:
    is_cifar10 = found.source["source"] == "cifar10" and not _is_other(found)
    reference = params.report.reference if is_cifar10 else {}
    return {
        "source": "cifar10" if is_cifar10 else "other",
        "data": OTHER_CLASSES if _is_other(found) else DATA[found.source["source"]],
        "dataset": found.dataset,
        "imbalance": imbalance_words.headline(found),
        "audit": audit_words.audit(found),
        "measured": _measured(found),
        "shown_epoch": training_words.shown_epoch(found.models, params),
        "seeds": found.seeds,
        "over_seeds": _over_seeds(found.seeds),
        "validated": found.images["validation"] > 0,
        "chance_loss": math.log(len(found.classes)),  # nats
        "models": found.models,
        "calibrated": all("calibrated" in model.metrics for model in found.models),
        "best": max(model.metrics["test"]["accuracy"]["mean"] for model in found.models),
        "reference": {model.name: reference[model.name] for model in found.models if model.name in reference},
        "sizes": _sizes(found, reference),
        "verdict": Verdict(
            replicates.headline(found.correct),
            [replicates.sentences(pair) for pair in found.differences],
            _limits(found),
        ),
        "compared_images": min(nearest.IMAGES, found.images["train"]),
        "costs": costs.find(found, params.predict.mirror),
        "pairs": significance.pairs(found.first_correct),
        "compared": any(pair.estimate for pair in found.differences),
        "top_confusion": {
            m.name: next(iter(results.top_confusions(found, m, 1)), None) for m in found.models
        },
        "architectures": _architectures(found),
        "ood_datasets": [*found.models[0].detector["auroc"]],
        "threshold_data": found.models[0].first.ood["threshold_data"],
        "persons": {model.name: person for model in found.models if (person := person_words.describe(model))},
        "nearest_images": len(found.models[0].first.nearest),
        "person_words": ood_words.person(found.classes),
        "ood_area": ood_words.area,
        "corrupted_words": ood_words.CORRUPTED,
        "corrupted_images": ood_words.corrupted_images(found.models[0]),
        "rejected": ood_words.rejected_models(found.models),
        "ood_intervals": ood_words.intervals(found.models[0]),
        "ood_words": ood_words.datasets(found, params.data.ood_exclude),
        "ood_origin": ood_words.origin([*found.models[0].detector["auroc"]]),
        "pseudo_words": ood_words.pseudo_ood(found),
        "fpr_words": _fpr(found),
        "detection": _detection(found),
        "score_words": SCORES,
        "optimizers": {
            name: training_words.optimizer(model.optimizer) for name, model in params.models.items()
        },
    }


def _limits(found: Results) -> list[str]:
    """Say what the intervals cover, what another number of trainings would show, and the training sd."""
    images = f"{found.images['test']:,} test images"
    if len(found.seeds) == 1:
        return [
            f"The intervals cover the sampling of the {images}, not the seed, and not the training images."
        ]
    told = [
        f"The intervals cover the choice of seeds and of the {images}, but not that of the training images."
    ]
    needed = {pair: pair.trainings_for_a_point for pair in found.differences}
    enough = [f"{count:,} for {pair.first} and {pair.second}" for pair, count in needed.items() if count]
    never = [f"{pair.first} and {pair.second}" for pair, count in needed.items() if not count]
    if enough:
        told.append(
            "Trainings of each model that tell a difference of one point with a probability of 80 %: "
            f"{significance.listed(enough)}."
        )
    if never:
        told.append(
            "No number of trainings tells a difference of one point with a probability of 80 %, because the "
            f"test set is too small: {'; '.join(never)}."
        )
    spreads = [f"{100 * (model.accuracy.training_sd or 0):.2f} for {model.name}" for model in found.models]
    told.append(
        "The sd over seeds without the part that the finite test set causes, in points: "
        f"{significance.listed(spreads)}."
    )
    return told


def _over_seeds(seeds: Sequence[int]) -> str:
    """Explain the numbers after ±."""
    if len(seeds) == 1:
        return f"One training of each model (seed {seeds[0]}): the spread over seeds is unknown."
    names = significance.listed([str(seed) for seed in seeds])
    return (
        f"± is the sample standard deviation over {len(seeds)} trainings of each model, which differ in the "
        f"seed alone ({names})."
    )


def _fpr(found: Results) -> dict[str, str]:
    """List the FPR of each model by OOD dataset, lowest first."""
    return {
        model.name: significance.listed(
            [
                f"{100 * share:.0f} % on {dataset}"
                for dataset, share in sorted(model.detector["fpr"].items(), key=lambda item: item[1])
            ]
        )
        for model in found.models
        if model.detector["fpr"]
    }


def _detection(found: Results) -> str:
    """Give the range of the mean AUROC, and name the models whose detection is not reliable."""
    areas = [model.mean_auroc for model in found.models if model.mean_auroc is not None]
    if not areas:
        return "No OOD dataset was measured."
    doubtful = [model.name for model in found.models if not model.reliable]
    low, high = f"{min(areas):.2f}", f"{max(areas):.2f}"
    told = f"The mean AUROC is {low if low == high else f'{low} to {high}'}."
    if not doubtful:
        return told
    area = "mean AUROC of a single training" if len(found.seeds) > 1 else "mean AUROC"
    return f"{told} Detection is unreliable ({area} below {RELIABLE}) for {significance.listed(doubtful)}."


def _is_other(found: Results) -> bool:
    """Tell whether an archive in the layout of CIFAR-10 has other classes."""
    return found.source["source"] == "cifar10" and found.classes != class_names.CIFAR10


def data_name(source: Mapping[str, Any], other_classes: bool = False) -> str:
    """Describe the data in words, from the facts that `download` writes."""
    if other_classes:
        return f"{OTHER_CLASSES} (SHA-256 {source['sha256']})"
    if source["source"] != "cifar10":
        return f"{DATA[source['source']]}, not CIFAR-10"
    if source["official"]:
        return f"CIFAR-10, the official archive (SHA-256 {source['sha256']})"
    return f"a copy of CIFAR-10 whose SHA-256 is {source['sha256']}, not the official archive"


def _measured(found: Results) -> str:
    """Describe the data and the arithmetic."""
    train, validation, test = (f"{found.images[split]:,}" for split in results.SPLITS)
    left_out = (
        f" {_counted(len(found.excluded), 'picture')} left out (data.exclude)." if found.excluded else ""
    )
    return (
        f"Measured on {data_name(found.source, _is_other(found))}: {train} training, {validation} validation "
        f"and {test} test images in {len(found.classes)} classes.{left_out} {arithmetic_used(found)}"
    )


def arithmetic_used(found: Results) -> str:
    """Describe the arithmetic of the models and metrics, with a warning if it differs between them."""
    used = {model.name: model.metrics["model"] for model in found.models}
    steps = {
        f"{name} was {step}": kinds[f"{step}_on"]
        for name, kinds in used.items()
        for step in ("trained", "evaluated")
    }
    if len(kinds := set(steps.values())) == 1:
        return f"Trained and evaluated on {kinds.pop()}."
    listed = significance.listed([f"{step} on {kind}" for step, kind in steps.items()])
    return f"Mixed arithmetic explains part of the differences between the models: {listed}."


def _sizes(found: Results, reference: Mapping[str, Reference]) -> str:
    """Compare the parameter counts with the reference results; "" without any."""
    pairs = [
        (model.name, model.metrics["model"]["parameters"], reference[model.name].parameters)
        for model in found.models
        if model.name in reference
    ]
    others = [f"{name} ({theirs:,})" for name, ours, theirs in pairs if ours != theirs]
    if others:
        return f"The reference parameter count differs for {significance.listed(others)}."
    return "The parameter counts are equal." if pairs else ""


def _architectures(found: Results) -> list[tuple[list[str], list[dict[str, Any]]]]:
    """Group models with equal layers: names, layers."""
    groups: list[tuple[list[str], list[dict[str, Any]]]] = []
    for model in found.models:
        names = next((names for names, layers in groups if layers == model.architecture), None)
        if names is None:
            groups.append(([model.name], model.architecture))
        else:
            names.append(model.name)
    return groups
