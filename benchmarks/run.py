"""Measure this pipeline's training against the notebook's way and plain PyTorch, on this machine, in one go.

The images are those of data/processed (training and validation together), the models those of params.yaml.
All sides get the same; whole processes are timed, from start to exit, taking turns. In the environment:
EPOCHS (default: train.epochs), IMAGES (default: all), REPEATS (default 3), JOBS (default: one per core).
Writes reports/benchmark.json, .md and .png.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import outcome
from cifar10 import dataset, errors, files, params
from scripts import demo, repro

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "benchmarks"
MODELS = (1, 2, 4, 8)  # how many, for the growth with models
SHARES = (0.1, 0.2, 0.5, 1.0)  # of the images, for the growth with images


@dataclass(frozen=True)
class Run:
    """One process from start to exit: wall seconds, and the largest resident memory of it or a child."""

    seconds: float
    peak_bytes: int


def main() -> None:
    """Run all sides, write the outcome."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    chosen = params.load()
    epochs, repeats = number("EPOCHS", chosen.train.epochs), number("REPEATS", 3)
    images, labels = pictures(number("IMAGES", 10**9))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        save(Path(folder), images, labels)
        sides = {
            "notebook": lambda: script("notebook", folder, epochs),
            "pipeline": lambda: pipeline(images, labels, chosen.models, epochs),
        }
        if find_spec("torch"):
            sides["pytorch"] = lambda: script("pytorch", folder, epochs)
        else:
            print("PyTorch is not installed and left out: see `make bench`", file=sys.stderr)
        runs = take_turns(sides, repeats)
        report = {
            "machine": machine(),
            "settings": settings(chosen, epochs, len(labels), repeats),
            "sides": {name: summary(done) for name, done in runs.items()},
            "growth": growth(images, labels, chosen.models, max(1, epochs // 5)),
            "peak": json.loads(subprocess.run([sys.executable, HERE / "peak.py"], **PRINTED).stdout),
        }
    outcome.write(report)


PRINTED: dict[str, Any] = {"check": True, "capture_output": True, "text": True}


def number(name: str, default: int) -> int:
    """Read a positive whole number from the environment."""
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) == 0:
        raise errors.UserError(f"{name}: got {text!r}, expected a whole number, 1 or more")
    return int(text)


def pictures(limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Put training and validation images together, `limit` at most."""
    splits = [dataset.load("train"), dataset.load("validation")]
    images = np.concatenate([split.images for split in splits])[:limit]
    return images, np.concatenate([split.labels for split in splits])[:limit]


def save(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write images and labels as the sides read them."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)


def take_turns(sides: dict[str, Callable[[], Run]], repeats: int) -> dict[str, list[Run]]:
    """Run every side `repeats` times, in turn, so that a slow minute of the machine hits all."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for repeat in range(repeats):
        for name, side in sides.items():
            runs[name].append(side())
            print(f"{name}, {repeat + 1}/{repeats}: {runs[name][-1].seconds:.1f} s", flush=True)
    return runs


def script(name: str, folder: str, epochs: int) -> Run:
    """Run one of the other sides."""
    return timed([sys.executable, str(HERE / f"{name}.py"), folder, str(epochs)], ROOT)


def pipeline(images: np.ndarray, labels: np.ndarray, models: dict[str, params.Model], epochs: int) -> Run:
    """Train `models` in a new clone, whose cache holds nothing."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        clone = Path(folder) / "clone"
        demo.clone(clone)
        content = yaml.safe_load((clone / "params.yaml").read_text())
        content["train"]["epochs"] = epochs
        content["models"] = {name: model.model_dump() for name, model in models.items()}
        (clone / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        save(clone / "data/processed/train", images, labels)
        save(clone / "data/processed/validation", images[:0], labels[:0])
        files.write_json(clone / "data/processed/classes.json", dataset.class_names())
        return timed([sys.executable, "benchmarks/pipeline.py"], clone)


def timed(command: list[str], folder: Path) -> Run:
    """Run a command; its output goes to a file that is shown if it fails."""
    with tempfile.TemporaryFile("w+") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise errors.UserError(f"{' '.join(command)} failed:\n{log.read()[-2000:]}")
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def summary(runs: list[Run]) -> dict[str, Any]:
    """Give the medians, and every run."""
    return {
        "seconds": statistics.median(run.seconds for run in runs),
        "peak_bytes": int(statistics.median(run.peak_bytes for run in runs)),
        "runs": [asdict(run) for run in runs],
    }


def growth(
    images: np.ndarray, labels: np.ndarray, models: dict[str, params.Model], epochs: int
) -> dict[str, Any]:
    """Time the pipeline with more models, on a fifth of the images, and with more images."""
    entries = list(models.values())
    fifth = len(labels) // 5
    by_models = {
        count: pipeline(
            images[:fifth], labels[:fifth], {f"m{i}": entries[i % len(entries)] for i in range(count)}, epochs
        ).seconds
        for count in MODELS
    }
    by_images = {
        size: pipeline(images[:size], labels[:size], models, epochs).seconds
        for size in (int(share * len(labels)) for share in SHARES)
    }
    return {
        "epochs": epochs,
        "images_of_models": fifth,
        "seconds_by_models": by_models,
        "seconds_by_images": by_images,
    }


def settings(chosen: params.Params, epochs: int, images: int, repeats: int) -> dict[str, Any]:
    """Say what was trained."""
    return {
        "models": list(chosen.models),
        "epochs": epochs,
        "images": images,
        "batch_size": chosen.train.batch_size,
        "jobs": repro.wanted_jobs(),
        "repeats": repeats,
    }


def machine() -> dict[str, Any]:
    """Say where it was measured."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0].partition(":")[2].strip() if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.system(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    errors.run(main)
