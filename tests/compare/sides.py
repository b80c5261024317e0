"""Sides of a comparison with made-up answers, in place of clones."""

import hashlib
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from cifar10.compare.page import linked, markdown
from cifar10.compare.revision_results import RevisionResults
from cifar10.report.summary import spread

METRICS = ("loss", "macro_f1", "calibration_error")


def answers(correct):
    """Predictions of ten classes that are right where `correct`, bool (N,), says so."""
    actual = np.arange(len(correct)) % 10
    return pd.DataFrame({"actual": actual, "predicted": np.where(correct, actual, 9 - actual)}).astype(str)


def side(label, seeds, correct, recipes=None, images="images", missing=(), **metrics):
    """Make a side.

    Args:
        label: its name.
        seeds: of the trainings.
        correct: by model, bool (S, N).
        recipes: by model, what its trainings depend on; the label if None: another model on each side.
        images: hash of the test images.
        missing: models and seeds without predictions.
        metrics: other test metrics, values by seed, the same for all models.
    """
    recipes = recipes or dict.fromkeys(correct, label)
    each = [(name, seed, correct[name][place]) for name, (place, seed) in product(correct, enumerate(seeds))]
    hashes, predictions = {}, {name: {} for name in correct}
    for name, seed, hits in each:
        hashes[f"evaluate@{name}-{seed}"] = {
            "data/processed/test": images,
            f"models/{name}/seed_{seed}.h5": f"{recipes[name]} {seed}",
            f"reports/predictions/{name}/seed_{seed}.csv": hashlib.md5(hits.tobytes()).hexdigest(),
        }
        if (name, seed) not in missing:
            predictions[name][seed] = answers(hits)
    values = {key: metrics.get(key, [0.5] * len(seeds)) for key in METRICS}
    return RevisionResults(
        label=label,
        commit="0" * 40,
        uncommitted=False,
        params={"models": {name: {} for name in correct}, "train": {"seeds": list(seeds)}},
        stale=[],
        hashes=hashes,
        metrics={
            name: {
                "seeds": len(seeds),
                "test": {
                    "accuracy": spread(hits.mean(axis=1).tolist()),
                    "accuracies": hits.mean(axis=1).tolist(),
                    **{key: spread(of) for key, of in values.items()},
                },
                "ood": {"tpr": spread(metrics.get("tpr", [0.9] * len(seeds)))},
            }
            for name, hits in correct.items()
        },
        figures={},
        recipes={f"train@{name}-{seed}": {"recipe": recipes[name]} for name, seed, _ in each},
        predictions=predictions,
    )


def trained(random, trainings, images=2000, accuracy=0.6, spread=0.02):
    """Draw bool (trainings, images) with a spread of the accuracy over trainings."""
    shares = accuracy + spread * random.standard_normal((trainings, 1))
    return random.random((trainings, images)) < shares


def limits(before, after, level):
    """Difference and interval of two models from bool (S, N), by the formulas of docs/statistics.md."""
    shares = [correct.mean(axis=1) for correct in (before, after)]
    apart = after.mean(axis=0) - before.mean(axis=0)
    parts = [np.var(share, ddof=1) / len(share) for share in shares] + [np.var(apart, ddof=1) / len(apart)]
    counts = [len(before) - 1, len(after) - 1, len(apart) - 1]
    quantiles = [stats.t.ppf(1 - level / 2, count) for count in counts]
    critical = quantiles[counts.index(1)] if 1 in counts else np.average(quantiles, weights=parts)
    difference = shares[1].mean() - shares[0].mean()
    half = critical * np.sqrt(sum(parts))
    return difference, difference - half, difference + half


def page(before, after):
    return markdown(before, after, linked({}))
