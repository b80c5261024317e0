"""Train every model of params.yaml on a GPU: images per second, test accuracy, and whether bytes repeat.

Each training runs twice with seed 0, as `python stages/train.py MODEL 0`; the third training is killed after
its first epoch and resumed. The three .h5 files are compared. The same training then runs on one core of the
processor. Set in the environment: CPU_SECONDS of that training (default 30). Writes reports/gpu.json and .md
after every model. It needs `make install GPU=1` and the images of `dvc repro preprocess`.
"""

import argparse
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks.record import record
from benchmarks.run import number
from benchmarks.text import where
from cifar10 import errors, files, machine, params, paths, progress, yaml_text
from cifar10.data import dataset
from cifar10.report import render
from cifar10.training import tensorflow_setup

STEM = paths.REPORTS / "gpu"
SHARED = ("data", "versions.yaml")  # what trainings read
MIXED = "mixed_bfloat16"
SEED = 0


@dataclass
class Training:
    """What one run of a training printed.

    Attributes:
        seconds: from start to exit.
        epochs: that ended.
        points: description with the epoch, steps and seconds of each state of the progress bar.
    """

    seconds: float = 0.0
    epochs: int = 0
    points: list[tuple[str, int, float]] = field(default_factory=list)


def main() -> None:
    """Train, measure and write the results."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--models", nargs="+", metavar="NAME", help="default: all models of params.yaml")
    parser.add_argument("--mixed", nargs="+", default=[], metavar="NAME", help=f"also train these in {MIXED}")
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu", help="cpu: a rehearsal")
    asked, chosen = parser.parse_args(), params.load()
    rows = [(name, "float32") for name in asked.models or chosen.models]
    rows += [(name, MIXED) for name in asked.mixed]
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models

        models.make_deterministic(SEED)  # of the accuracies
    report: dict[str, Any] = {
        "machine": machine.describe(),
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "seed": SEED,
        "rows": [],
    }
    for name, dtype in rows:
        chosen.model(name)
        report["rows"].append({"model": name, "dtype": dtype, **measure(name, dtype, asked.device, chosen)})
        progress.log(json.dumps(report["rows"][-1]))
        record(STEM, report, markdown(report))


def measure(name: str, dtype: str, device: str, chosen: params.Params) -> dict[str, Any]:
    """Train one model on the device, three times, and on the CPU, for some seconds."""
    batch = chosen.train_of(name).batch_size
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        work = [prepare(Path(folder) / side, {"device": device, "dtype": dtype}) for side in "abc"]
        slow = prepare(Path(folder) / "cpu", {"device": "cpu", "dtype": "float32"})
        first, again = (train(name, each) for each in work[:2])
        train(name, work[2], until_epoch=1)
        train(name, work[2])
        on_cpu = train(name, slow, until_second=number("CPU_SECONDS", 30))
        files_written = [each / paths.model(name, SEED) for each in work]
        rates = [rate(run.points, batch) for run in (first, again, on_cpu)]
        return {
            "device": device_of(files_written[0]),
            "epochs": first.epochs,
            "seconds": [first.seconds, again.seconds],
            "images_per_second": rates[:2],
            "images_per_second_cpu": rates[2],
            "accuracy": accuracy(name, files_written[0], chosen),
            "same_bytes": digest(files_written[0]) == digest(files_written[1]),
            "same_bytes_after_kill": digest(files_written[0]) == digest(files_written[2]),
        }


def prepare(folder: Path, settings: dict[str, str]) -> Path:
    """Make a folder where a stage runs on the data of this checkout, with own settings of `train`."""
    folder.mkdir()
    for name in SHARED:
        (folder / name).symlink_to(Path(name).resolve())
    content = yaml_text.read(paths.PARAMS)
    content["train"] |= settings
    files.write_text(folder / paths.PARAMS, yaml_text.dump(content))
    return folder


def train(name: str, folder: Path, until_epoch: int = 0, until_second: float = 0) -> Training:
    """Run the stage to its end, or kill it after an epoch or some seconds of steps."""
    command = [sys.executable, str(ROOT / "stages/train.py"), name, str(SEED)]
    environment = {**os.environ, progress.VARIABLE: progress.JSON}
    run, started, printed, killed = Training(), time.perf_counter(), [], False
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        for line in process.stderr or ():
            if update := progress.read(line):
                run.points.append((update["desc"], update["n"], update["elapsed"]))
            else:
                printed.append(line)
                run.epochs += ": epoch " in line
            reached = run.points[-1][2] if run.points else 0
            if (until_second and reached > until_second) or (until_epoch and run.epochs == until_epoch):
                process.kill()
                killed = True
                break
    run.seconds = time.perf_counter() - started
    if process.returncode and not killed:
        raise errors.UserError(f"{name}: the training failed:\n{''.join(printed[-40:])}")
    return run


def rate(points: Iterable[tuple[str, int, float]], batch: int) -> float | None:
    """Return the images per second within epochs; None if no epoch is long enough to measure it."""
    pairs = [(a, b) for a, b in itertools.pairwise(points) if a[0] == b[0] and a[1] > 0]
    seconds = sum(b[2] - a[2] for a, b in pairs)
    return batch * sum(b[1] - a[1] for a, b in pairs) / seconds if seconds else None


def accuracy(name: str, file: Path, chosen: params.Params) -> float:
    """Return the test accuracy, from 0 to 1, computed on the CPU as by stages/evaluate.py."""
    from cifar10.evaluation import features, trained_models
    from cifar10.training import models

    test = dataset.load("test")
    model = models.build(name, chosen.models[name], len(dataset.class_names()), test.images.shape[1:])
    trained_models.load_weights(model, file)
    extract = features.feature_extractor(model)
    if name in chosen.predict.mirror:
        extract = features.mirrored(extract)
    return float((extract(test.images).probabilities.argmax(axis=1) == test.labels).mean())


def device_of(file: Path) -> str:
    """Return the name of the GPU that the .h5 file holds; "CPU" without one."""
    import h5py

    from cifar10.training import devices, models

    with h5py.File(file) as content:
        return str(json.loads(content.attrs[models.ARITHMETIC]).get(devices.KEY, "CPU"))


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def markdown(report: dict[str, Any]) -> str:
    """Write the table and the conditions of the measurement."""
    lines = [
        "| model | dtype | GPU: images/s | one CPU core: images/s | ratio | GPU: whole training "
        "| test accuracy | CPU: test accuracy | same bytes |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in report["rows"]:
        fast, slow = max(row["images_per_second"], key=lambda found: found or 0), row["images_per_second_cpu"]
        same = "/".join("yes" if row[key] else "no" for key in ("same_bytes", "same_bytes_after_kill"))
        ratio = f"{fast:,.0f} | {slow:,.0f} | {fast / slow:.1f}" if fast and slow else "- | - | -"
        taken, reached = f"{min(row['seconds']):.0f} s", f"{row['accuracy']:.2%}"
        cells = [row["model"], row["dtype"], ratio, taken, reached, on_cpu(row["model"]), same]
        lines.append(f"| {' | '.join(cells)} |")
    gpus = ", ".join(dict.fromkeys(row["device"] for row in report["rows"]))
    told = (
        f"Trainings with seed {report['seed']} and all epochs of params.yaml, the faster of two runs, from "
        "start to exit. Images per second count the steps of epochs, without validation. *CPU: test "
        "accuracy* is the range of the pipeline's trainings. *same bytes*: of the .h5 files of two runs/of a "
        "run that was killed after its first epoch and resumed. "
        f"Measured on {report['data']}; {gpus}; the host is {where(report['machine'])}."
    )
    return "\n".join(["# Training on a GPU", "", *lines, "", told, ""])


def on_cpu(name: str) -> str:
    """Format the range of the test accuracies of the pipeline's trainings; "-" if there are none."""
    file = paths.METRICS / f"{name}.json"
    if not file.exists():
        return "-"
    found = files.read_json(file)["test"]["accuracies"]
    return f"{min(found):.2%} to {max(found):.2%}"


if __name__ == "__main__":
    errors.run(main)
