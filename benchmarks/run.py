"""Compare this pipeline's training time with the baseline notebook and plain PyTorch on this machine.

All sides train the models of the notebook, which have an entry in `report.reference` of params.yaml, once,
with the first seed, on the training and validation images of data/processed. Whole processes are timed, from
start to exit, in turn. Each starts in the environment of the caller, without the variables that pin this
project's arithmetic. Environment variables: EPOCHS (default: train.epochs), IMAGES (default: all), REPEATS
(default: 3), JOBS (default: one per core). Writes reports/benchmark.json, .md, .png.
"""

import os

BEFORE = dict(os.environ)  # `import cifar10` below changes the environment

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from cifar10 import arithmetic  # before NumPy, which reads the environment at load time

# isort: split
import argparse
import json
import platform
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks import outcome
from benchmarks.timing import Run, timed
from cifar10 import errors, files, machine, params, yaml_text
from cifar10.data import dataset
from scripts import demo, repro

HERE = ROOT / "benchmarks"
MODELS = (1, 2, 4, 8)  # numbers of models, for the growth with models
PORTABLE = {"pipeline": "true", "pipeline_fastest": "false"}  # train.portable
SHARES = (0.1, 0.2, 0.5, 1.0)  # shares of the images, for the growth with images

# processor flags that enable oneDNN by default: DefaultOneDnnPolicy, tensorflow/core/util/port.cc
ONEDNN_BY_ITSELF = {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}


def main() -> None:
    """Run all sides, write the results."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    chosen = params.load()
    models = {name: entry for name, entry in chosen.models.items() if name in chosen.report.reference}
    epochs, repeats = number("EPOCHS", chosen.train.epochs), number("REPEATS", 3)
    images, labels = pictures(number("IMAGES", 10**9))
    flags = machine.flags()
    names = side_names(flags, platform.system(), find_spec("torch") is not None)
    if "pytorch" not in names:
        print("PyTorch is not installed and is skipped: see `make bench`", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        save(Path(folder), images, labels)
        ways = sides(folder, images, labels, models, epochs)
        runs = take_turns({name: ways[name] for name in names}, repeats)
        report = {
            "machine": machine.describe(),
            "settings": settings(chosen, epochs, len(labels), repeats),
            "onednn_by_itself": sorted(ONEDNN_BY_ITSELF & flags),
            "sides": {name: summary(done) for name, done in runs.items()},
            "growth": growth(images, labels, models, max(1, epochs // 5)),
            "peak": printed("peak"),
            "steps": {name: printed("steps", PORTABLE[name]) for name in names if name in PORTABLE},
        }
    outcome.write(report)


def side_names(flags: Iterable[str], system: str, torch: bool) -> list[str]:
    """List the sides that differ on a processor, in the order of the table.

    Args:
        flags: flags of the processor.
        system: from `platform.system`. TF_ENABLE_ONEDNN_OPTS matters only on Linux: TensorFlow for macOS has
            no oneDNN, TensorFlow for Windows uses it by default.
        torch: whether PyTorch is installed.
    """
    flags = set(flags)
    names = ["notebook"]
    if system == "Linux" and not flags & ONEDNN_BY_ITSELF:
        names.append("notebook_onednn")
    names.append("pipeline")
    if arithmetic.INSTRUCTIONS["AVX512_CORE"] <= flags:
        names.append("pipeline_fastest")
    return [*names, "pytorch"] if torch else names


def sides(
    folder: str, images: np.ndarray, labels: np.ndarray, models: dict[str, params.Model], epochs: int
) -> dict[str, Callable[[], Run]]:
    """Return a function per side that runs it; `folder` holds the images."""
    return {
        "notebook": lambda: script("notebook", folder, epochs, environment()),
        "notebook_onednn": lambda: script(
            "notebook", folder, epochs, environment() | {"TF_ENABLE_ONEDNN_OPTS": "1"}
        ),
        "pipeline": lambda: pipeline(images, labels, models, epochs),
        "pipeline_fastest": lambda: pipeline(images, labels, models, epochs, portable=False),
        "pytorch": lambda: script("pytorch", folder, epochs, environment()),
    }


def environment() -> dict[str, str]:
    """Return the caller's environment without the variables that pin the arithmetic.

    Values set by the caller are removed, too: the other sides use the defaults of their libraries, and the
    pipeline sets its own values.
    """
    pinned = {*arithmetic.settings(), *arithmetic.UNSET}
    return {name: value for name, value in BEFORE.items() if name not in pinned}


def printed(name: str, *arguments: str) -> dict[str, Any]:
    """Run a script of this folder and return the JSON that it prints."""
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def number(name: str, default: int) -> int:
    """Read a positive integer from the environment."""
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) == 0:
        raise errors.UserError(f"{name}: got {text!r}, expected a whole number, 1 or more")
    return int(text)


def pictures(limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training and validation images with their labels, at most `limit`."""
    splits = [dataset.load("train"), dataset.load("validation")]
    images = np.concatenate([split.images for split in splits])[:limit]
    return images, np.concatenate([split.labels for split in splits])[:limit]


def save(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write images and labels for the sides to read."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)


def take_turns(sides: dict[str, Callable[[], Run]], repeats: int) -> dict[str, list[Run]]:
    """Run every side `repeats` times, in turn, so that slow phases of the machine affect all sides."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for repeat in range(repeats):
        for name, side in sides.items():
            runs[name].append(side())
            print(f"{name}, {repeat + 1}/{repeats}: {runs[name][-1].seconds:.1f} s", flush=True)
    return runs


def script(name: str, folder: str, epochs: int, variables: dict[str, str]) -> Run:
    """Run a side that is a script of this folder."""
    return timed([sys.executable, str(HERE / f"{name}.py"), folder, str(epochs)], ROOT, variables)


def pipeline(
    images: np.ndarray,
    labels: np.ndarray,
    models: dict[str, params.Model],
    epochs: int,
    portable: bool = True,
) -> Run:
    """Train `models` in a new clone with an empty cache."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        clone = Path(folder) / "clone"
        demo.clone(clone)
        choose(clone / "params.yaml", models, epochs, portable)
        save(clone / "data/processed/train", images, labels)
        save(clone / "data/processed/validation", images[:0], labels[:0])
        files.write_json(clone / "data/processed/classes.json", dataset.class_names())
        return timed([sys.executable, "benchmarks/pipeline.py"], clone, environment())


def choose(path: Path, models: dict[str, params.Model], epochs: int, portable: bool) -> None:
    """Set models, one seed, epochs of all models and `train.portable` in a parameter file; keep the rest."""
    content = yaml_text.read(path)
    content["train"] |= {"epochs": epochs, "portable": portable, "seeds": content["train"]["seeds"][:1]}
    content["models"] = {
        name: model.model_dump(exclude_unset=True, exclude={"train": {"epochs"}})
        for name, model in models.items()
    }
    content["predict"] = {}
    path.write_text(yaml_text.dump(content), encoding="utf-8")


def summary(runs: list[Run]) -> dict[str, Any]:
    """Return the medians, and all runs."""
    return {
        "seconds": statistics.median(run.seconds for run in runs),
        "peak_bytes": int(statistics.median(run.peak_bytes for run in runs)),
        "runs": [asdict(run) for run in runs],
    }


def growth(
    images: np.ndarray, labels: np.ndarray, models: dict[str, params.Model], epochs: int
) -> dict[str, Any]:
    """Time the pipeline by number of models, on a fifth of the images, and by number of images."""
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
    """Return the settings of the trainings."""
    return {
        "models": [name for name in chosen.models if name in chosen.report.reference],
        "epochs": epochs,
        "images": images,
        "batch_size": chosen.train.batch_size,
        "jobs": repro.wanted_jobs(),
        "repeats": repeats,
    }


if __name__ == "__main__":
    errors.run(main)
