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
import numpy as np

from benchmarks.learning_curve import PRETRAINED, with_pretrained
from benchmarks.record import record
from benchmarks.text import where
from cifar10 import errors, files, machine, params, paths, progress
from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.evaluation import ood_results
from cifar10.report import render
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
        found["models"][PRETRAINED].append(measure(seed, settings))
        found["models"] |= {name: of_pipeline(name, found["seeds"]) for name in settings.models}
        record(STEM, found, markdown(found))


def measure(seed: int, settings: params.Params) -> dict[str, Any]:
    """Train with one seed; return accuracy (0 to 1) and the metrics of the combined ID score."""
    from cifar10.evaluation import features
    from cifar10.training import models, prepared

    settings = with_pretrained(settings)
    training, test, classes = dataset.load("train"), dataset.load("test"), dataset.class_names()
    models.keras.utils.set_random_seed(seed)
    shape = training.images.shape[1:]
    made = prepared.prepare(PRETRAINED, settings, training.labels, classes, shape=shape)
    nothing = Split(test.images[:0], test.labels[:0])
    for _ in made.train(training, nothing, settings.train_of(PRETRAINED), seed, [], lambda *_: None):
        pass
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
    }


def markdown(found: dict[str, Any]) -> str:
    """Write a row per model, with means over the seeds."""
    measured = {name: rows for name, rows in found["models"].items() if rows}
    datasets = [*measured[PRETRAINED][0]["auroc"]]
    lines = [
        f"| model | test accuracy | test images accepted | mean AUROC | {' | '.join(datasets)} |",
        "|---|---:|---:|---:|" + "---:|" * len(datasets),
    ]
    for name, rows in measured.items():
        accuracy, accepted, mean = (_mean(rows, key) for key in ("accuracy", "tpr", "mean_auroc"))
        each = " | ".join(f"{np.mean([entry['auroc'][kind] for entry in rows]):.2f}" for kind in datasets)
        lines.append(f"| {name} | {100 * accuracy:.1f} % | {100 * accepted:.1f} % | {mean:.3f} | {each} |")
    seeds = len(found["seeds"])
    told = f"means over {seeds} seeds" if seeds > 1 else "one seed"
    return (
        "# OOD detector of a frozen base\n\n"
        + "\n".join(lines)
        + f"\n\nAUROC by OOD dataset ({told}). *{PRETRAINED}* is a frozen EfficientNet-Lite0 with ImageNet "
        f"weights, with one Dense layer trained on all training images. Measured on {found['data']}; "
        f"{where(found['machine'])}.\n"
    )


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([entry[key] for entry in rows]))


if __name__ == "__main__":
    errors.run(main)
