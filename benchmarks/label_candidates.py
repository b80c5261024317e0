"""Measure which label candidates are swapped labels: precision and recall with 3 % of the labels swapped.

Digits: the first model of params.yaml is trained with swapped labels, for the test pictures (mean of three
seeds) and by parts as in `make audit LABELS=1`. The last run: labels of validation and test pictures are
swapped, for a random class or for the likeliest wrong one; the networks are those of the run. Writes
reports/label_recall.json and .md.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.record import record
from cifar10 import errors, files, machine, params, paths
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks.text import where
from cifar10.data import sources
from cifar10.data.dataset import Split
from cifar10.evaluation.ensemble import mean_probabilities
from cifar10.report import label_candidates, render, results
from scripts.label_candidates import cross_validated, settings, trained

SHARE = 0.03  # of the labels
DRAWN = 25  # pictures in the report's figure
DRAWS = {"digits": 1, "committed": 10}
SEEDS = (0, 1, 2)
STEM = paths.REPORTS / "label_recall"


def main() -> None:
    """Measure, write the outcome."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    chosen = params.load()
    found = results.load([*chosen.models], chosen.train.seeds)
    name = next(iter(chosen.models))
    report = {
        "machine": machine.describe(),
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "share": SHARE,
        "draws": DRAWS,
        "rows": {**committed(found), **digits(name, chosen)},
        "now": len(label_candidates.of(found).table),
        "pictures": label_candidates.of(found).pictures,
    }
    record(STEM, report, markdown(report))


def swap(labels: np.ndarray, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Replace SHARE of the labels by another class each; return the new labels and which ones, bool (N,)."""
    random = np.random.default_rng(seed)
    swapped = np.zeros(len(labels), bool)
    swapped[random.permutation(len(labels))[: round(SHARE * len(labels))]] = True
    return np.where(swapped, (labels + random.integers(1, classes, len(labels))) % classes, labels), swapped


def measure(given: np.ndarray, swapped: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Measure the candidates against the swapped labels; average_precision is of the order of all."""
    found = label_candidates.find(given, probabilities)
    right, doubt = swapped[found], -probabilities[np.arange(len(given)), given]
    return {
        "swapped": int(swapped.sum()),
        "candidates": len(found),
        "precision": float(right.mean()) if len(found) else 0.0,
        "recall": float(right.sum() / swapped.sum()),
        "of_the_drawn": float(right[:DRAWN].mean()) if len(found) else 0.0,
        "average_precision": float(average_precision_score(swapped, doubt)),
    }


def averaged(each: list[dict[str, float]]) -> dict[str, float]:
    """Average the measurements of several draws."""
    return {key: float(np.mean([one[key] for one in each])) for key in each[0]}


def committed(found: results.Results) -> dict[str, dict[str, float]]:
    """Measure the networks of the last run: the best model, and the mean over models.

    Confused labels are swapped for the class that the first model finds the likeliest but for the right one.
    """
    held = {model.name: label_candidates.held_out(model) for model in found.models}
    best = label_candidates.best(found.models).name
    labels = np.concatenate([labels for labels, _ in held[best]])
    each = {name: np.concatenate([part for _, part in parts]) for name, parts in held.items()}
    asked = {
        f"last run, {best}": each[best],
        "last run, mean over models": mean_probabilities([*each.values()]),
    }
    others = each[found.models[0].name].copy()
    others[np.arange(len(labels)), labels] = 0
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in [*asked, f"last run, {best}, confused"]}
    for seed in range(DRAWS["committed"]):
        given, swapped = swap(labels, len(found.classes), seed)
        confused = np.where(swapped, others.argmax(axis=1), labels)
        rows[f"last run, {best}, confused"].append(measure(confused, swapped, each[best]))
        for name, probabilities in asked.items():
            rows[name].append(measure(given, swapped, probabilities))
    return {name: averaged(measured) for name, measured in rows.items()}


def digits(name: str, chosen: params.Params) -> dict[str, dict[str, float]]:
    """Measure networks that are trained on digits with swapped labels."""
    chosen = settings(chosen, name, None)
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models

        models.make_deterministic(SEEDS[0])
    data = sources.digits()
    names, cut = data.class_names, len(data.train_labels)
    images = np.concatenate([data.train_images, data.test_images])
    labels = np.concatenate([data.train_labels, data.test_labels])
    rows: dict[str, list[dict[str, float]]] = {f"digits, test, {name}": [], f"digits, five parts, {name}": []}
    held, parts = rows.values()
    for seed in range(DRAWS["digits"]):
        given, swapped = swap(labels, len(names), seed)
        part = Split(images[:cut], given[:cut])
        each = [trained(name, chosen, names, part, own)(images[cut:]) for own in SEEDS]
        held.append(measure(given[cut:], swapped[cut:], mean_probabilities(each)))
        all_parts = cross_validated(
            Split(images, given), names, lambda part, others: trained(name, chosen, names, part)(others)
        )
        parts.append(measure(given, swapped, all_parts))
    return {name: averaged(measured) for name, measured in rows.items()}


def markdown(report: dict[str, Any]) -> str:
    """Write the outcome as Markdown."""
    rows = [
        f"| {name} | {row['swapped']:.0f} | {row['candidates']:.0f} | {100 * row['precision']:.0f} % | "
        f"{100 * row['recall']:.0f} % | {100 * row['of_the_drawn']:.0f} % | {row['average_precision']:.2f} |"
        for name, row in report["rows"].items()
    ]
    head = f"| pictures, networks | swapped | candidates | precision | recall | first {DRAWN} | AP |"
    table = "\n".join([head, "|---|---:|---:|---:|---:|---:|---:|", *rows])
    share, draws = 100 * report["share"], report["draws"]
    return (
        f"# Label candidates\n\n{table}\n\n{share:.0f} % of the labels are swapped at random, "
        "*confused* for the likeliest wrong class of the first model; mean of "
        f"{draws['committed']} draws for the last run, {draws['digits']} for the digits. *First {DRAWN}* is "
        "the share of swapped labels among the candidates that the report draws, *AP* the average precision "
        f"of the order of all pictures. The last run has {report['now']:,} candidates among "
        f"{report['pictures']:,} pictures without any swap; here they count as wrong. Data of the last run: "
        f"{report['data']}; {where(report['machine'])}.\n"
    )


if __name__ == "__main__":
    errors.run(main)
