"""The parameter sets of a sweep, and the table of its results."""

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from dvc.exceptions import InvalidArgumentError
from dvc.utils import hydra

from cifar10 import params, paths, stage_names
from cifar10.errors import UserError

SEEDS = "train.seeds"

METRICS = {  # heading: (section of the metrics, its key, factor, decimals, unit)
    "test accuracy": ("test", "accuracy", 100, 2, " %"),
    "test loss": ("test", "loss", 1, 4, ""),
    "training accuracy": ("train", "accuracy", 100, 2, " %"),
    "training loss": ("train", "loss", 1, 4, ""),
    "validation accuracy": ("validation", "accuracy", 100, 2, " %"),
}


@dataclass(frozen=True)
class Point:
    """One training of a sweep."""

    model: str
    seed: int
    settings: tuple[tuple[str, str], ...]  # overrides for this model: (key, value)
    parameters: str  # text of params.yaml

    @property
    def label(self) -> str:
        """Return a readable name of the training: the model, its seed and its overrides."""
        return " ".join(
            [stage_names.label(self.model, self.seed), *(f"{key}={value}" for key, value in self.settings)]
        )


def points(overrides: list[str]) -> list[Point]:
    """List the trainings of a sweep: params.yaml with every combination of `KEY=VALUE,VALUE,...` overrides.

    Each combination trains every seed of its `train.seeds`. Overrides of one model add no trainings of the
    other models.

    Raises:
        UserError: an override cannot be read, or its value is not allowed in params.yaml.
    """
    for override in overrides:
        if "=" not in override:
            raise UserError(f"--set {override}: expected KEY=VALUE,..., as in {SEEDS}=[1,2,3]")
        if not override.lstrip("+~").startswith(("train.", "models.")):
            raise UserError(
                f"--set {override}: expected a key under `train` or `models`, as in {SEEDS}=[1,2,3]; "
                "other data are another revision: change params.yaml, `dvc repro preprocess`, commit"
            )
    found: dict[tuple[str, int, tuple[tuple[str, str], ...]], Point] = {}
    for combination in _combinations(overrides):
        text, chosen = _apply(combination)
        pairs = [tuple(item.lstrip("+~").partition("=")[::2]) for item in combination]
        for name, seed in product(chosen.models, chosen.train.seeds):
            settings = tuple((key, value) for key, value in pairs if _concerns(key, name))
            found.setdefault((name, seed, settings), Point(name, seed, settings, text))
    return list(found.values())


def _combinations(overrides: list[str]) -> list[list[str]]:
    from hydra.errors import HydraException

    try:
        return [chosen[""] for chosen in hydra.get_hydra_sweeps({"": overrides})]
    except (HydraException, InvalidArgumentError) as error:
        raise UserError(f"--set {' '.join(overrides)}: {_first_line(error)}") from None


def _apply(overrides: list[str]) -> tuple[str, params.Params]:
    """Return params.yaml with the overrides, as text and as parameters."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / paths.PARAMS
        path.write_bytes(paths.PARAMS.read_bytes())
        try:
            hydra.apply_overrides(path, overrides)
            return path.read_text(encoding="utf-8"), params.load(path)
        except InvalidArgumentError as error:
            reason = _first_line(error.__cause__ or error)
            raise UserError(f"--set {' '.join(overrides)}: no such key in {paths.PARAMS}? {reason}") from None
        except UserError as error:
            reason = str(error).removeprefix(f"{path}: ")
            raise UserError(f"--set {' '.join(overrides)}: {reason}") from None


def _concerns(key: str, model: str) -> bool:
    of_all = key.startswith("train.") and key != SEEDS  # the seed of a point has a field of its own
    return of_all or f"{key}.".startswith(f"models.{model}.")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def table(results: Iterable[tuple[Point, Mapping[str, Any]]]) -> str:
    """Write the mean and the sample standard deviation over the seeds as a Markdown table.

    Args:
        results: each training with its metrics, as in reports/evaluations.
    """
    rows: dict[tuple[str, tuple[tuple[str, str], ...]], list[Mapping[str, Any]]] = defaultdict(list)
    for point, metrics in results:
        rows[point.model, point.settings].append(metrics)
    keys = list(dict.fromkeys(key for _, settings in rows for key, _ in settings))
    shown = [
        name for name, (section, *_) in METRICS.items() if all(section in m for r in rows.values() for m in r)
    ]
    lines = [
        ["model", *keys, "trainings", *shown],
        ["---", *("---" for _ in keys), "---:", *("---:" for _ in shown)],
    ]
    for (model, settings), runs in sorted(
        rows.items(), key=lambda row: row[0][0]
    ):  # a stable sort: keeps the order within a model
        values = [dict(settings).get(key, "") for key in keys]
        lines.append([model, *values, str(len(runs)), *(_cell(runs, *METRICS[name]) for name in shown)])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{text}\n\nMean ± sample standard deviation over the trainings of a row, which differ in "
        "the seed alone. Training metrics are means over the last epoch.\n"
    )


def _cell(
    metrics: list[Mapping[str, Any]], section: str, key: str, factor: int, decimals: int, unit: str
) -> str:
    values = [entry[section][key] * factor for entry in metrics]
    mean = f"{statistics.mean(values):.{decimals}f}"
    spread = f" ± {statistics.stdev(values):.{decimals}f}" if len(values) > 1 else ""
    return f"{mean}{spread}{unit}"
