"""Summarize the trainings of a model, one per seed: mean and standard deviation of each metric."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from cifar10.evaluation.replicates import Accuracy

TEST = ("accuracy", "loss", "macro_f1", "calibration_error")
ENSEMBLE = ("accuracy", "loss", "calibration_error", "calibrated")


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return `mean`, and `sd`, the sample standard deviation (divisor S - 1); None for a single value."""
    sd = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "sd": sd}


def summarize(
    evaluations: Sequence[Mapping[str, Any]],
    detectors: Sequence[Mapping[str, Any]],
    accuracy: Accuracy,
    ensemble: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Summarize the trainings of a model, as reports/metrics/NAME.json has them.

    Args:
        evaluations: content of the evaluation file of each seed.
        detectors: of each seed, the metrics of its chosen ID score: tpr; auroc and fpr by OOD dataset.
        accuracy: of the model, with its interval.
        ensemble: `metrics.summary` of the mean probabilities of the seeds; None for a single seed.

    Returns:
        `seeds`, their number; `test`, `train`, `validation` and `calibrated` (if there are validation images)
        and `ood` with `spread` of each metric; `test.accuracy` also with `low` and `high`, its 95 % interval;
        `test.accuracies`, a list in the order of `train.seeds`; `ensemble` (if given) with accuracy, loss,
        calibration_error and `calibrated`; `model` with parameters, bytes and arithmetic.
    """
    test = [{key: evaluation["test"][key] for key in TEST} for evaluation in evaluations]
    others = [
        split for split in ("train", "validation", "calibrated") if all(split in e for e in evaluations)
    ]
    ood = [{key: detector[key] for key in ("tpr", "auroc", "fpr")} for detector in detectors]
    files = [evaluation["model"] for evaluation in evaluations]
    spreads = _spreads(test)
    spreads["accuracy"] |= {"low": accuracy.low, "high": accuracy.high}
    return {
        "seeds": len(evaluations),
        "test": {**spreads, "accuracies": [values["accuracy"] for values in test]},
        **({"ensemble": {key: ensemble[key] for key in ENSEMBLE if key in ensemble}} if ensemble else {}),
        **{split: _spreads([evaluation[split] for evaluation in evaluations]) for split in others},
        "ood": _spreads(ood),
        "model": {
            "parameters": files[0]["parameters"],
            "bytes": max(file["bytes"] for file in files),
            **{key: _texts(file[key] for file in files) for key in ("trained_on", "evaluated_on")},
        },
    }


def _spreads(trees: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Replace each number of a tree by its `spread` over the trees."""
    return {
        key: _spreads([tree[key] for tree in trees])
        if isinstance(value, Mapping)
        else spread([tree[key] for tree in trees])
        for key, value in trees[0].items()
    }


def _texts(texts: Any) -> str:
    """Join the different texts, in order."""
    return " and ".join(dict.fromkeys(texts))
