"""The parameter sets of a sweep, and the table of its results."""

import statistics
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from cifar10 import overrides, stage_names
from cifar10.overrides import SEEDS

VALIDATION = "validation accuracy"
METRICS = {  # heading: (section of the metrics, its key, factor, decimals, unit)
    "test accuracy": ("test", "accuracy", 100, 2, " %"),
    "test loss": ("test", "loss", 1, 4, ""),
    "training accuracy": ("train", "accuracy", 100, 2, " %"),
    "training loss": ("train", "loss", 1, 4, ""),
    VALIDATION: ("validation", "accuracy", 100, 2, " %"),
}

Settings = tuple[tuple[str, str], ...]  # overrides for a model: (key, value)
Row = tuple[str, Settings]  # a model and its settings
Rows = dict[Row, list[Mapping[str, Any]]]  # the metrics of its trainings


@dataclass(frozen=True)
class Point:
    """One training of a sweep."""

    model: str
    seed: int
    settings: Settings
    parameters: str  # text of params.yaml

    @property
    def label(self) -> str:
        """Return a readable name of the training: the model, its seed and its overrides."""
        return " ".join(
            [stage_names.label(self.model, self.seed), *(f"{key}={value}" for key, value in self.settings)]
        )


def points(texts: list[str]) -> list[Point]:
    """List the trainings of a sweep: params.yaml with every combination of `KEY=VALUE,VALUE,...` overrides.

    Each combination trains every seed of its `train.seeds`. Overrides of one model add no trainings of the
    other models.

    Raises:
        UserError: an override cannot be read, or its value is not allowed in params.yaml.
    """
    found: dict[tuple[str, int, Settings], Point] = {}
    for combination in overrides.combinations(texts):
        text, chosen = overrides.apply(combination)
        pairs = [tuple(item.lstrip("+~").partition("=")[::2]) for item in combination]
        for name, seed in product(chosen.models, chosen.train.seeds):
            own = chosen.models[name].train.model_fields_set
            settings = tuple((key, value) for key, value in pairs if _concerns(key, name, own))
            found.setdefault((name, seed, settings), Point(name, seed, settings, text))
    return list(found.values())


def _concerns(key: str, model: str, own: Container[str]) -> bool:
    """Check whether an override changes the trainings of a model, which has its own values of `own`."""
    section, _, setting = key.partition(".")
    of_all = section == "train" and key != SEEDS  # the seed of a point has a field of its own
    of_all = of_all and setting.partition(".")[0] not in own
    return of_all or f"{key}.".startswith(f"models.{model}.")


def table(results: Iterable[tuple[Point, Mapping[str, Any]]]) -> str:
    """Write the mean and the sample standard deviation over the seeds as a Markdown table.

    The best validation accuracy of each model is bold if the model has several settings.

    Args:
        results: each training with its metrics, as in reports/evaluations.
    """
    rows: Rows = defaultdict(list)
    for point, metrics in results:
        rows[point.model, point.settings].append(metrics)
    keys = list(dict.fromkeys(key for _, settings in rows for key, _ in settings))
    shown = [
        name for name, (section, *_) in METRICS.items() if all(section in m for r in rows.values() for m in r)
    ]
    best = _best(rows) if VALIDATION in shown else set()
    lines = [
        ["model", *keys, "trainings", *shown],
        ["---", *("---" for _ in keys), "---:", *("---:" for _ in shown)],
    ]
    for row, runs in sorted(rows.items(), key=lambda item: item[0][0]):  # stable: keeps the order in a model
        model, settings = row
        values = [dict(settings).get(key, "") for key in keys]
        cells = {name: _cell(runs, *METRICS[name]) for name in shown}
        if row in best:
            cells[VALIDATION] = f"**{cells[VALIDATION]}**"
        lines.append([model, *values, str(len(runs)), *cells.values()])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{text}\n\nMean ± sample standard deviation over the trainings of a row, which differ in "
        f"the seed alone. Training metrics are means over the last epoch.\n\n{_note(rows, shown)}\n"
    )


def _best(rows: Rows) -> set[Row]:
    """Return the row with the highest mean validation accuracy of each model that has several rows."""
    accuracies: dict[str, dict[Row, float]] = defaultdict(dict)
    for row, runs in rows.items():
        accuracies[row[0]][row] = statistics.mean(entry["validation"]["accuracy"] for entry in runs)
    return {max(of, key=lambda row: of[row]) for of in accuracies.values() if len(of) > 1}


def _note(rows: Rows, shown: list[str]) -> str:
    """Say how often the test images were used, and by which metric to choose."""
    trainings = sum(len(runs) for runs in rows.values())
    used = f"Test images were evaluated for {trainings} training{'s' * (trainings > 1)}"
    if VALIDATION in shown:
        return f"{used}; choose by {VALIDATION}."
    return f"{used}. Do not choose by them: set `data.validation_fraction` to get validation images."


def _cell(
    metrics: list[Mapping[str, Any]], section: str, key: str, factor: int, decimals: int, unit: str
) -> str:
    values = [entry[section][key] * factor for entry in metrics]
    mean = f"{statistics.mean(values):.{decimals}f}"
    spread = f" ± {statistics.stdev(values):.{decimals}f}" if len(values) > 1 else ""
    return f"{mean}{spread}{unit}"
