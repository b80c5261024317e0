"""Simulate the comparison of models over several trainings: false positives, coverage and power.

A test image is classified correctly if difficulty + own part + noise < threshold + shift. All models share
the difficulty of an image, and all trainings of a model share its own part. The noise is new for each
training and image, the shift for each training. All are normal. The thresholds give each model its accuracy
on average over trainings and images. The simulation takes about two minutes on one core. The random seeds are
fixed.
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cifar10  # noqa: F401 - pins the arithmetic before NumPy is loaded

# isort: split
import numpy as np
from scipy.stats import binom, norm, t

from benchmarks import replicates_report
from cifar10.evaluation import significance
from cifar10.evaluation.replicates import intervals
from cifar10.evaluation.replicates.components import Array, Components, degrees_of_freedom
from cifar10.evaluation.replicates.power import Design
from cifar10.progress import bar

DIFFICULTY, OWN, NOISE = (np.float32(np.sqrt(part)) for part in (0.5, 0.15, 0.35))  # standard deviations
CHUNK = 20  # experiments at once
LEVEL_REPEATS, POWER_REPEATS = 4000, 1000
SEEDS = ((2, 2, 2), (3, 3, 3), (5, 5, 5), (10, 10, 10), (3, 10, 10))  # trainings of each model
POWER_SEEDS = (2, 3, 5, 10, 20)


@dataclass(frozen=True)
class Setting:
    """Models: accuracies, their standard deviations over trainings (0 to 1), and number of test images."""

    accuracies: tuple[float, ...]
    spreads: tuple[float, ...]
    images: int


EQUAL = [
    *(
        Setting((0.67,) * 3, spreads, 10_000)
        for spreads in (
            (0, 0, 0),
            (0.003, 0.003, 0.003),
            (0.03, 0.03, 0.03),
            (0.003, 0.003, 0.03),
            (0.003, 0.03, 0.03),
        )
    ),
    Setting((0.985,) * 3, (0.002, 0.002, 0.002), 2000),
    Setting((0.67,) * 3, (0.01, 0.01, 0.01), 150),
]
APART = [Setting((0.67, 0.66), (spread, spread), 10_000) for spread in (0.003, 0.01, 0.03)]


def main() -> None:
    """Simulate and write reports/replicates.json, .md and .png."""
    replicates_report.write(simulate(LEVEL_REPEATS, POWER_REPEATS))


def simulate(level_repeats: int, power_repeats: int) -> dict[str, Any]:
    """Return the results of all settings."""
    total = len(EQUAL) * level_repeats + len(APART) * power_repeats
    with bar(total=total, desc="simulation", unit=" experiments") as progress:
        equal = [
            row
            for index, setting in enumerate(EQUAL)
            for row in level(setting, level_repeats, np.random.default_rng([0, index]), progress)
        ]
        apart = [
            row
            for index, setting in enumerate(APART)
            for row in power(setting, power_repeats, np.random.default_rng([1, index]), progress)
        ]
    return {
        "level_repeats": level_repeats,
        "power_repeats": power_repeats,
        "parts": {"difficulty": 0.5, "own": 0.15, "noise": 0.35},
        "level": equal,
        "power": apart,
    }


def draw(setting: Setting, random: np.random.Generator, seeds: int, repeats: int) -> list[Array]:
    """Return, for each model, bool (repeats, seeds, images): which images are classified correctly."""
    shared = DIFFICULTY * random.standard_normal((repeats, 1, setting.images), dtype=np.float32)
    models = []
    for accuracy, spread in zip(setting.accuracies, setting.spreads, strict=True):
        middle = norm.ppf(accuracy)
        shift = spread / norm.pdf(middle)  # standard deviation on the scale of the threshold
        threshold = middle * np.sqrt(1 + shift**2) + shift * random.standard_normal((repeats, seeds, 1))
        own = OWN * random.standard_normal((repeats, 1, setting.images), dtype=np.float32)
        noise = random.standard_normal((repeats, seeds, setting.images), dtype=np.float32)
        noise *= NOISE
        noise += shared + own
        models.append(noise < threshold.astype(np.float32))
    return models


def level(
    setting: Setting, repeats: int, random: np.random.Generator, progress: Any
) -> Iterator[dict[str, Any]]:
    """Count experiments in which a test finds a difference between equal models, for each of `SEEDS`."""
    counts: dict[tuple[int, ...], dict[str, int]] = {
        seeds: {"found": 0, "welch": 0, "mcnemar": 0, "covered": 0} for seeds in SEEDS
    }
    for _ in range(repeats // CHUNK):
        correct = draw(setting, random, max(map(max, SEEDS)), CHUNK)
        single = mcnemar([hits[:, 0] for hits in correct])
        for seeds, count in counts.items():
            models = [Components.of(hits[:, :number]) for hits, number in zip(correct, seeds, strict=True)]
            tested = [excludes(*pair, difference=0, pairs=3) for pair in combinations(models, 2)]
            count["found"] += int(np.any([found for found, _ in tested], axis=0).sum())
            count["welch"] += int(np.any([welch for _, welch in tested], axis=0).sum())
            count["mcnemar"] += int(single.sum())
            count["covered"] += sum(
                int(covers(model, accuracy).sum())
                for model, accuracy in zip(models, setting.accuracies, strict=True)
            )
        progress.update(CHUNK)
    for seeds, count in counts.items():
        yield {
            **asdict(setting),
            "seeds": seeds,
            "false_positives": count["found"] / repeats,
            "welch_satterthwaite": count["welch"] / repeats,
            "mcnemar": count["mcnemar"] / repeats,
            "accuracy_coverage": count["covered"] / repeats / len(setting.accuracies),
        }


def power(
    setting: Setting, repeats: int, random: np.random.Generator, progress: Any
) -> Iterator[dict[str, Any]]:
    """Count experiments in which the test finds a true difference, for each of `POWER_SEEDS`."""
    true = setting.accuracies[0] - setting.accuracies[1]
    counts = {seeds: {"found": 0, "missed": 0} for seeds in POWER_SEEDS}
    designs = []
    for _ in range(repeats // CHUNK):
        correct = draw(setting, random, max(POWER_SEEDS), CHUNK)
        for seeds, count in counts.items():
            first, second = (Components.of(hits[:, :seeds]) for hits in correct)
            count["found"] += int(excludes(first, second, difference=0, pairs=1)[0].sum())
            count["missed"] += int(excludes(first, second, difference=true, pairs=1)[0].sum())
        designs.extend(designs_of(first, second))
        progress.update(CHUNK)
    mean = Design(
        (float(np.mean([d.seeds[0] for d in designs])), float(np.mean([d.seeds[1] for d in designs]))),
        float(np.mean([d.noise for d in designs])),
        float(np.mean([d.images for d in designs])),
        setting.images,
    )
    needed = mean.to_tell(true)
    for seeds, count in counts.items():
        yield {
            **asdict(setting),
            "seeds": seeds,
            "power": count["found"] / repeats,
            "predicted": mean.power(true, seeds),
            "coverage": 1 - count["missed"] / repeats,
            "needed": needed,
        }


def designs_of(first: Components, second: Components) -> list[Design]:
    """Estimate the variances of each experiment."""
    return [
        Design.of(
            *(
                Components(m.accuracies[i], m.residuals[i], m.seeds[i], m.noise[i], m.total)
                for m in (first, second)
            )
        )
        for i in range(len(first.accuracies))
    ]


def excludes(first: Components, second: Components, difference: float, pairs: int) -> tuple[Array, Array]:
    """Tell whether the interval excludes a difference: the one used, and with Satterthwaite's df alone."""
    parts, counts = intervals.difference_parts(first, second)
    satterthwaite = t.isf(significance.LEVEL / pairs / 2, degrees_of_freedom(parts, counts))
    excluded = []
    for critical in (intervals.quantile(parts, counts, significance.LEVEL / pairs), satterthwaite):
        low, high = intervals.difference_limits(first, second, critical)
        excluded.append((low > difference) | (high < difference))
    return excluded[0], excluded[1]


def covers(model: Components, accuracy: float) -> Array:
    """Tell whether the 95 % interval of an accuracy holds the true one."""
    critical = intervals.quantile(*intervals.accuracy_parts(model), significance.LEVEL)
    low, high = intervals.accuracy_limits(model, critical)
    return (low <= accuracy) & (accuracy <= high)


def mcnemar(correct: list[Array]) -> Array:
    """Tell whether McNemar's exact test (Holm) finds a difference of single trainings, bool (repeats, N)."""
    found = []
    for one, other in combinations(correct, 2):
        counts = (one & ~other).sum(axis=-1), (other & ~one).sum(axis=-1)
        found.append(2 * binom.cdf(np.minimum(*counts), sum(counts), 0.5) < significance.LEVEL / 3)
    return np.any(found, axis=0)


if __name__ == "__main__":
    main()
