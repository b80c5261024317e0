"""Measure whether the trainings of a model detect OOD images better together than one of them.

Each rule gives an ID score per image: the detector of the first seed, the mean of the seeds' detectors (the
rule in use), or scores of the ensemble. Thresholds come from validation images at 95 % TPR. `make pull` or
`make repro` provides the trained models. Writes reports/ensemble.json and reports/ensemble.md.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.record import record
from cifar10 import errors, files, machine, params, paths
from cifar10.data import dataset
from cifar10.evaluation import auroc, detector, detector_fit, ood_images
from cifar10.report import render
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np

STEM = paths.REPORTS / "ensemble"
FIRST = "detector of the first seed"
MEAN = "mean over the seeds' detectors"  # the rule in use
RULES = {
    FIRST: "",
    MEAN: "the rule in use",
    "MSP of the ensemble": "largest mean probability",
    "agreement of the seeds": "minus the mean KL divergence of the seeds' probabilities from their mean "
    "(Lakshminarayanan et al., NeurIPS 2017)",
    "mean and agreement": "sum of the second and the fourth, both standardized",
}


def main() -> None:
    """Measure every model and write the tables."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    chosen = params.load()
    if len(chosen.train.seeds) < 2:
        raise errors.UserError(f"{paths.PARAMS}: train.seeds: expected two or more for an ensemble, got one")
    found = measure()
    record(STEM, found, markdown(found))


def measure() -> dict[str, Any]:
    """Measure the rules: by model and rule, tpr; auroc and fpr by OOD dataset (0 to 1).

    Raises:
        UserError: a model or the data are missing.
    """
    with tensorflow_setup.tensorflow():
        from cifar10.predict import predictor
        from cifar10.training import models

        models.make_deterministic(seed=0)
    classifier = predictor.load()
    test = dataset.load("test")
    validation, _ = detector_fit.threshold_images(dataset.load("train"), dataset.load("validation"))
    images = {"validation": validation.images, "test": test.images, **ood_images.load()}
    found = {}
    for name, extractors in classifier.extractors.items():
        loaded = [detector.load(paths.ood_detector(name, seed)) for seed in classifier.seeds]
        each, probabilities = {}, {}
        for kind, some in images.items():
            outputs = [extract(some) for extract in extractors]
            pairs = zip(loaded, outputs, strict=True)
            each[kind] = np.array([each_one.id_scores(output) for each_one, output in pairs])
            probabilities[kind] = np.array([output.probabilities for output in outputs])
        found[name] = {rule: rates(scores) for rule, scores in rules(each, probabilities).items()}
    return {
        "machine": machine.describe(),
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "seeds": classifier.seeds,
        "test_images": len(test.labels),
        "models": found,
    }


def rules(
    each: Mapping[str, np.ndarray], probabilities: Mapping[str, np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """Compute the ID scores of each rule, float64 (N,) by kind of images.

    Args:
        each: ID scores of the seeds' detectors, float64 (S, N) by kind; `validation` is one of them.
        probabilities: float64 (S, N, K) by kind.
    """
    average = {kind: values.mean(axis=0) for kind, values in probabilities.items()}
    first = {kind: values[0] for kind, values in each.items()}
    mean = {kind: values.mean(axis=0) for kind, values in each.items()}
    msp = {kind: values.max(axis=1) for kind, values in average.items()}
    agreement = {kind: entropy(probabilities[kind]).mean(axis=0) - entropy(average[kind]) for kind in average}
    parts = [standardized(mean), standardized(agreement)]
    both = {kind: parts[0][kind] + parts[1][kind] for kind in mean}
    return dict(zip(RULES, (first, mean, msp, agreement, both), strict=True))


def standardized(scores: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Subtract the mean of the validation images and divide by their standard deviation (last axis)."""
    centre = scores["validation"].mean(axis=-1, keepdims=True)
    scale = scores["validation"].std(axis=-1, keepdims=True)
    return {
        kind: (values - centre) / np.maximum(scale, np.finfo(np.float64).tiny)
        for kind, values in scores.items()
    }


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Return the entropy along the last axis, in nats."""
    return -np.sum(probabilities * np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)), axis=-1)


def rates(scores: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return TPR, and AUROC and FPR by OOD dataset, from the ID scores of each kind of images."""
    threshold = detector.threshold(scores["validation"])
    others = {kind: values for kind, values in scores.items() if kind not in ("validation", "test")}
    return {
        "tpr": float(np.mean(scores["test"] >= threshold)),
        "auroc": {kind: auroc.area(scores["test"], values) for kind, values in others.items()},
        "fpr": {kind: float(np.mean(values >= threshold)) for kind, values in others.items()},
    }


def markdown(report: dict[str, Any]) -> str:
    """Write a table per model."""
    datasets = [*next(iter(next(iter(report["models"].values())).values()))["auroc"]]
    lines = [
        "# OOD detection with several trainings of a model",
        "",
        f"| model | ID score | TPR, test images | mean AUROC | mean FPR | {' | '.join(datasets)} |",
        f"|---|---|---:|---:|---:|{'---:|' * len(datasets)}",
    ]
    for name, rules in report["models"].items():
        for rule, found in rules.items():
            auroc, fpr = ([found[key][kind] for kind in datasets] for key in ("auroc", "fpr"))
            cells = [f"{100 * f:.0f} % ({a:.2f})" for a, f in zip(auroc, fpr, strict=True)]
            lines.append(
                f"| {name} | {rule} | {100 * found['tpr']:.1f} % | {np.mean(auroc):.3f} "
                f"| {100 * np.mean(fpr):.0f} % | {' | '.join(cells)} |"
            )
    explained = "\n".join(f"- {rule}: {text}." for rule, text in RULES.items() if text)
    seeds = ", ".join(map(str, report["seeds"]))
    return "\n".join(lines) + (
        f"\n\nPer OOD dataset: FPR, lower is better, and AUROC in brackets. Seeds {seeds}, "
        f"{report['test_images']:,} test images. Measured on {report['data']}; "
        f"{report['machine']['processor']}.\n\n{explained}\n"
    )


if __name__ == "__main__":
    errors.run(main)
