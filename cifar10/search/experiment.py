"""A DVC experiment that trains one model with each seed. It uses no test image."""

import csv
import io
from collections.abc import Callable, Sequence

from cifar10 import commands, paths, progress, stage_names, staleness
from cifar10.errors import UserError
from cifar10.stage_run import LAST_LINES


def run(
    name: str, model: str, seeds: Sequence[int], overrides: Sequence[str], hear: Callable[[str], object]
) -> None:
    """Run the trainings as an experiment, in a temporary folder of DVC; the working tree does not change.

    Args:
        name: name of the new experiment.
        model: name of the model.
        seeds: the seeds to train with, one after the other.
        overrides: one `KEY=VALUE` per parameter.
        hear: called with the progress of a training, as one line.

    Raises:
        UserError: the experiment failed; the end of its output is printed first.
    """
    stages = [stage_names.stage("train", model, seed) for seed in seeds]
    # --single-item: the other stages are up to date, or need files that git ignores
    options = ["--temp", "--single-item", "--name", name, *(f"--set-param={each}" for each in overrides)]
    command = (*commands.DVC, "exp", "run", *options, *stages)
    json_lines = {progress.VARIABLE: progress.JSON}
    lines = []
    with commands.running(*command, folder=None, tied=True, **json_lines) as process:
        for line in map(str.rstrip, process.stdout or ()):
            if update := progress.read(line):
                hear(update["desc"])
            elif line:
                lines.append(line)
    if any("conflicts with existing experiment" in line for line in lines):
        raise UserError(f"experiment {name} exists: `dvc exp remove {name}`, or another name with --name")
    if process.returncode:
        for line in lines[-LAST_LINES:]:
            progress.log(f"  {line}")
        faults = [line for line in lines if line.startswith(("error: ", "ERROR: "))]
        reason = (faults or lines or [""])[0].partition(": ")[2]
        raise UserError(f"experiment {name} failed: {reason}")


def validation_accuracies(name: str, model: str, seeds: Sequence[int]) -> list[float]:
    """Return the validation accuracy of each training of an experiment, of the epoch it keeps, in [0, 1].

    Raises:
        UserError: the experiment has no such training, or there are no validation images.
    """
    found = []
    for seed in seeds:
        path = paths.history(model, seed).as_posix()
        with staleness.repository(name) as repo:
            text = repo.dvcfs.read_text(path, encoding="utf-8")
        *_, kept = [row for row in csv.DictReader(io.StringIO(text)) if row.get("kept", "1") == "1"]
        if not kept["val_accuracy"]:
            raise UserError(f"experiment {name}: {path} has no validation accuracy: there are no such images")
        found.append(float(kept["val_accuracy"]))
    return found
