"""Measure the OOD detector of a frozen pretrained base beside those of the models of params.yaml.

Trains the layers after the base with all training images, then fits and measures the detector as `evaluate`
does. The values of the other models are those of the pipeline, in reports/. Writes reports/base_ood.json and
.md after every seed.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cifar10  # noqa: F401  before NumPy: it pins the arithmetic

# isort: split
import pandas as pd

from benchmarks.learning_curve import PRETRAINED, trained, with_pretrained
from benchmarks.record import record
from benchmarks.text import where
from cifar10 import errors, files, machine, params, paths, progress
from cifar10.data import dataset
from cifar10.evaluation import ood_results
from cifar10.report import render
from cifar10.report.ood_words import CORRUPTED
from cifar10.training import tensorflow_setup

STEM = paths.REPORTS / "base_ood"


def main() -> None:
    """Train and measure with each seed."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED")
    asked, settings = parser.parse_args(), params.load()
    found: dict[str, Any] = {
        "machine": machine.describe(),
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "seeds": [],
        "models": {PRETRAINED: []},
    }
    with tensorflow_setup.tensorflow(settings.train.portable):
        from cifar10.training import models

        models.make_deterministic(seed=0)
    for seed in asked.seeds:
        found["seeds"].append(seed)
        found["models"][PRETRAINED].append(measure(seed, with_pretrained(settings)))
        found["models"] |= {name: of_pipeline(name, found["seeds"]) for name in settings.models}
        record(STEM, found, markdown(found))


def measure(seed: int, settings: params.Params) -> dict[str, Any]:
    """Train with one seed; return accuracy (0 to 1) and the metrics of the combined ID score."""
    from cifar10.evaluation import features

    made, test = trained(PRETRAINED, settings, dataset.load("train"), seed), dataset.load("test")
    progress.log(f"{PRETRAINED}, seed {seed}: trained")
    extract = features.feature_extractor(made.model)
    outputs = extract(test.images)
    found = ood_results.measure(extract, outputs, features.described_layers(made.model))
    accuracy = float((outputs.probabilities.argmax(axis=1) == test.labels).mean())
    return row(accuracy, found.metrics)


def of_pipeline(name: str, seeds: list[int]) -> list[dict[str, Any]]:
    """Return what `evaluate` measured for the model; empty if it did not with each of the seeds."""
    evaluations = [(paths.evaluation(name, seed), paths.ood_metrics(name, seed)) for seed in seeds]
    if not all(file.exists() for pair in evaluations for file in pair):
        return []
    return [row(files.read_json(one)["test"]["accuracy"], files.read_json(two)) for one, two in evaluations]


def row(accuracy: float, metrics: dict[str, Any]) -> dict[str, Any]:
    """Choose the values of the table."""
    combined = metrics["scores"]["combined"]
    return {
        "accuracy": accuracy,
        "parts": metrics["parts"],
        "tpr": combined["tpr"],
        "mean_auroc": metrics["auroc"],
        "auroc": combined["auroc"],
        "corrupted": metrics["corrupted"],
    }


def markdown(found: dict[str, Any]) -> str:
    """Write two tables with a row per model: AUROC by OOD dataset, and TPR by kind of test images."""
    frames = {
        name: pd.json_normalize(rows).mean(numeric_only=True)
        for name, rows in found["models"].items()
        if rows
    }
    means = pd.DataFrame(frames).T
    auroc = means.filter(regex=r"^auroc\.").rename(columns=lambda name: name.removeprefix("auroc."))
    rates = means.filter(regex=r"^corrupted\.").rename(
        columns=lambda name: CORRUPTED[name.removeprefix("corrupted.")]
    )
    seeds = len(found["seeds"])
    told = f"means over {seeds} seeds" if seeds > 1 else "one seed"
    return (
        "# OOD detector of a frozen base\n\n"
        + table(
            {
                "test accuracy": means["accuracy"].map(percent),
                "mean AUROC": means["mean_auroc"].map("{:.3f}".format),
            },
            auroc.map("{:.2f}".format),
        )
        + f"\nAUROC by OOD dataset ({told}). *{PRETRAINED}* is a frozen EfficientNet-Lite0 with ImageNet "
        "weights, with one Dense layer trained on all training images.\n\nTest images that get a class:\n\n"
        + table({"test images": means["tpr"].map(percent)}, rates.map(percent))
        + f"\nMeasured on {found['data']}; {where(found['machine'])}.\n"
    )


def table(first: dict[str, pd.Series], rest: pd.DataFrame) -> str:
    """Write columns of texts as Markdown, with a row per model."""
    columns = pd.DataFrame(first).join(rest)
    lines = [["model", *columns], ["---", *["---:"] * columns.shape[1]]]
    lines += [[name, *values] for name, *values in columns.itertuples()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(share: float) -> str:
    """Write a share from 0 to 1."""
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    errors.run(main)
