"""Write invented outputs of the earlier stages, drawn from a seed: input for the tests of the report."""

import copy
import functools
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import yaml

from cifar10 import files, paths
from cifar10.evaluation import auroc, detector_fit, explanations, metrics, temperature
from cifar10.evaluation.detector import Detector
from cifar10.evaluation.layer_distances import LayerStatistics
from cifar10.evaluation.ood_scores import LayerScores
from cifar10.evaluation.temperature import Validation

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
OOD_DATASETS = ["faces", "photographs", "textures"]
CORRUPTED = ["jpeg", "blur", "contrast", "noise"]
OOD_PICTURES = {"photographs": {"moon.png": 20, "coins.png": 30}, "textures": {"brick.png": 50}}
ODD = ["<b>x</b>", "Gänseblümchen & Löwenzahn auf der Wiese hinter dem Haus", 'NA, "$50$" {{ 7 * 7 }}']
SOURCE = {
    "source": "cifar10",
    "file": "cifar-10-python.tar.gz",
    "bytes": 170498071,
    "sha256": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "official": True,
}
COMPUTED_ON = "Linux x86_64, AVX2"
ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def inside(folder: Path) -> Iterator[Path]:
    """Change the working directory to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)


def write(
    folder: Path,
    *,
    classes: Sequence[str] = CIFAR10,
    skills: dict[str, float] | None = None,
    epochs: int = 10,
    validation: bool = True,
    images: int = 1000,
    seeds: Sequence[int] = (0,),
    source: dict[str, object] | None = None,
) -> Path:
    """Write the outputs of `download`, `preprocess`, `train` and `evaluate` to `folder`; return it.

    `skills` maps model names to the weight of the true class in their logits.
    """
    arguments = {"classes": [*classes], "skills": skills, "epochs": epochs, "validation": validation}
    arguments |= {"images": images, "seeds": [*seeds], "source": source}
    for name, content in _made(json.dumps(arguments)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@functools.lru_cache(maxsize=8)
def _made(arguments: str) -> dict[str, bytes]:
    """Return the files by path; `arguments` are those of `write`, as JSON. Tests often ask for the same."""
    with tempfile.TemporaryDirectory() as folder:
        with inside(Path(folder)):
            _write(**json.loads(arguments))
        files_made = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_made}


def _write(
    classes: list[str],
    skills: dict[str, float] | None,
    epochs: int,
    validation: bool,
    images: int,
    seeds: list[int],
    source: dict[str, object] | None,
) -> None:
    """Write the files to the working directory."""
    skills = {"model_0": 3.0, "model_1": 2.5, "model_2": 2.0} if skills is None else skills
    random = np.random.default_rng(7)
    _params([*skills], seeds)
    files.write_json(paths.SOURCE, source or SOURCE)
    files.write_json(paths.CLASSES, classes)
    for split, size in (
        ("train", 5 * images),
        ("validation", images // 2 * validation),
        ("test", images),
    ):
        _split(split, random.integers(len(classes), size=size), random)
    files.write_json(paths.AUDIT, _audit(classes, images))
    files.write_json(paths.OOD_PICTURES, OOD_PICTURES)
    np.save(paths.PERSON, np.zeros((32, 32, 3), np.uint8))
    for (name, skill), seed in product(skills.items(), seeds):
        _model(name, seed, skill, classes, epochs, validation, random)


def _params(models: list[str], seeds: list[int]) -> None:
    """Write the repository's params.yaml with these models and seeds; unknown models are like model_0."""
    content = copy.deepcopy(_own_params())
    known = content["models"]
    content["train"]["seeds"] = seeds
    content["models"] = {name: known.get(name, known["model_0"]) for name in models}
    content["predict"]["mirror"] = []
    files.write_text(paths.PARAMS, yaml.safe_dump(content, sort_keys=False))


@functools.cache
def _own_params() -> dict[str, Any]:
    return yaml.safe_load((ROOT / paths.PARAMS).read_text(encoding="utf-8"))


def _audit(classes: list[str], images: int) -> dict[str, Any]:
    """Audit with one pair: the test picture 1 is a copy of the training picture 1."""
    ends = [
        {"split": split, "index": index, "class": classes[0]} for split, index in (("train", 1), ("test", 1))
    ]
    sizes = {"train": 5 * images, "validation": images // 2, "test": images}
    return {
        "images": {split: dict.fromkeys(classes, size // len(classes)) for split, size in sizes.items()},
        "copies": {"train-test: mirrored": 1},
        "test_in_training": [1],
        "test_equal_to_training": 0,
        "two_labels": 0,
        "quality": {split: {"dark": [], "blurred": [0], "one-coloured": []} for split in sizes},
        "pairs": [{"first": ends[0], "second": ends[1], "kind": "mirrored"}],
    }


def _split(split: str, labels: np.ndarray, random: np.random.Generator) -> None:
    """Write a split: coarse blobs, with colours by class."""
    coarse = random.integers(0, 120, (len(labels), 4, 4, 3)) + (labels[:, None, None, None] * 37) % 130
    paths.images(split).parent.mkdir(parents=True, exist_ok=True)
    np.save(paths.images(split), coarse.repeat(8, axis=1).repeat(8, axis=2).astype(np.uint8))
    np.save(paths.labels(split), labels)


def _model(
    name: str,
    seed: int,
    skill: float,
    classes: Sequence[str],
    epochs: int,
    validation: bool,
    random: np.random.Generator,
) -> None:
    actual = np.load(paths.labels("test"))
    probabilities = _predictions(paths.predictions(name, seed), actual, skill, classes, random)
    held_out = np.load(paths.labels("validation"))
    others = np.random.default_rng([seed, len(name)])
    asked = _predictions(paths.validation_predictions(name, seed), held_out, skill, classes, others)
    kept = temperature.Validation(held_out, asked.astype(np.float32))
    history = _history(skill + seed / 10, epochs, validation)
    _write_csv(paths.history(name, seed), history)
    last, layers = history.iloc[-1], _layers(len(classes), wide=name not in ("model_1", "model_2"))
    content = {
        "test": metrics.summary(probabilities, actual, list(classes)),
        **temperature.measured([kept], probabilities, actual),
        "train": {"accuracy": last["accuracy"], "loss": last["loss"]},
        **(
            {"validation": {"accuracy": last["val_accuracy"], "loss": last["val_loss"]}} if validation else {}
        ),
        "model": {
            "parameters": sum(layer["parameters"] for layer in layers),
            "bytes": 1_140_000,
            "trained_on": COMPUTED_ON,
            "evaluated_on": COMPUTED_ON,
        },
    }
    files.write_json(paths.evaluation(name, seed), content)
    _ood(name, seed, skill, classes, len(actual), validation, random)
    files.write_json(paths.architecture(name, seed), layers)
    _explanations(name, seed, len(classes))


def _predictions(
    path: Path, actual: np.ndarray, skill: float, classes: Sequence[str], random: np.random.Generator
) -> np.ndarray:
    """Write predictions, overconfident ones; return their probabilities."""
    logits = random.gumbel(size=(len(actual), len(classes)))
    # the same classes are hard for every model
    ease = np.random.default_rng(5).uniform(0.5, 1.3, len(classes))
    logits[np.arange(len(actual)), actual] += skill * ease[actual]
    probabilities = np.exp(1.3 * logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    table = pd.DataFrame(probabilities, columns=[f"probability_{class_name}" for class_name in classes])
    table.insert(0, "actual", np.take(classes, actual))
    table.insert(1, "predicted", np.take(classes, probabilities.argmax(axis=1)))
    _write_csv(path, table)
    return probabilities


def _ood(
    name: str,
    seed: int,
    skill: float,
    classes: Sequence[str],
    images: int,
    validation: bool,
    random: np.random.Generator,
) -> None:
    """ID scores of test images are around the skill, those of each OOD dataset around 0, 1, 2 ...

    Each kind of corrupted images has lower ones than the kind before.
    """
    scores = {name: random.normal(skill, 1, images) for name in ("validation", "test")}
    scores |= {dataset: random.normal(shift, 1, 50) for shift, dataset in enumerate(OOD_DATASETS)}
    scores |= {f"test_{kind}": scores["test"][:1000] - loss for loss, kind in enumerate(CORRUPTED)}
    threshold = float(np.quantile(scores["validation"], 0.05, method="lower"))
    chances = random.dirichlet(np.ones(len(classes)) / 3).tolist()
    measured = {
        "threshold": threshold,
        "tpr": 0.95,
        "auroc": {dataset: auroc.area(scores["test"], scores[dataset]) for dataset in OOD_DATASETS},
        "fpr": {dataset: float((scores[dataset] >= threshold).mean()) for dataset in OOD_DATASETS},
    }
    files.write_json(
        paths.ood_metrics(name, seed),
        {
            "score": "combined",
            "parts": ["msp", "layers"],
            "auroc": float(np.mean([*measured["auroc"].values()])),
            "layers": ["Conv2D 30 x 30 x 16", "Dense 256"],
            "pseudo_ood": {score: {"blends": 0.6, "mean": 0.6} for score in detector_fit.SCORES},
            "threshold_data": "validation" if validation else "training",
            "scores": dict.fromkeys(detector_fit.SCORES, measured),
            "corrupted": {kind: float((scores[f"test_{kind}"] >= threshold).mean()) for kind in CORRUPTED},
            "person": {
                "id_score": threshold + skill - 2.2,
                "p_value": 0.02,
                "layers": [0.4, 0.013],
                "probabilities": dict(zip(classes, chances, strict=True)),
            },
        },
    )
    rows = [pd.DataFrame({"dataset": name, "id_score": values}) for name, values in scores.items()]
    _write_csv(paths.ood_scores(name, seed), pd.concat(rows))


def detector(
    widths: Sequence[int], classes: list[str], validation: Validation = temperature.NONE
) -> Detector:
    """A detector by the MSP and by layers of these numbers of features, whose features are all typical."""
    statistics = LayerStatistics(
        [np.zeros(width) for width in widths], [np.eye(width, dtype=np.float32) for width in widths]
    )
    number = len(widths)
    layers = LayerScores(statistics, np.zeros(number), np.ones(number), np.eye(number))
    reference = {part: np.linspace(-9, 1, 50) for part in ("msp", "layers", "combined")}
    deviations = np.ones((50, number), np.float32)
    return Detector(("msp", "layers"), -8.0, layers, reference, deviations, classes, validation)


def _explanations(name: str, seed: int, classes: int) -> None:
    """Write maps of random blobs; each training finds other images similar."""
    random = np.random.default_rng([seed, len(name), 3])

    def explain(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return random.integers(0, 256, (len(images), 4, 4), np.uint8)

    def extract(images: np.ndarray) -> Any:
        features = random.random((len(images), 20), np.float32)
        return SimpleNamespace(features=features, probabilities=random.random((len(images), classes)))

    explanations.write(explain, extract, paths.explanations(name, seed))


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n")


def _history(skill: float, epochs: int, validation: bool) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "loss": 2.3 * np.exp(-epoch * skill / 25),
            "accuracy": 0.8 - 0.6 * np.exp(-epoch * skill / 20),
            "val_loss": 2.4 * np.exp(-epoch * skill / 30) if validation else np.nan,
            "val_accuracy": 0.7 - 0.5 * np.exp(-epoch * skill / 15) if validation else np.nan,
        }
    )


def _layers(classes: int, wide: bool) -> list[dict[str, Any]]:
    filters = (16, 32, 64) if wide else (8, 16, 32)
    layers: list[tuple[str, list[int], int]] = [("Rescaling", [32, 32, 3], 0)]
    for depth, (side, count) in enumerate(zip((30, 13, 4), filters, strict=True)):
        before = 3 if depth == 0 else filters[depth - 1]
        layers.append(("Conv2D", [side, side, count], (9 * before + 1) * count))
        layers.append(("MaxPooling2D", [side // 2, side // 2, count], 0))
    layers.append(("Flatten", [4 * filters[-1]], 0))
    for units in [256] if wide else [3000, 1000]:
        layers.append(("Dense", [units], (layers[-1][1][0] + 1) * units))
    layers.append(("Dense", [classes], (layers[-1][1][0] + 1) * classes))
    return [
        {
            "layer": layer,
            "output": output,
            "parameters": count,
            # a bias per channel is no weight; the kernel is used once per position
            "multiply_adds": (count - output[-1]) * math.prod(output[:-1]) if count else 0,
        }
        for layer, output, count in layers
    ]


if __name__ == "__main__":  # to view the report: python tests/plausible.py FOLDER
    import sys

    shutil.rmtree(sys.argv[1], ignore_errors=True)
    print(write(Path(sys.argv[1]), images=10_000))
