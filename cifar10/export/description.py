"""The JSON beside an exported model: what a program needs to use it."""

import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from cifar10 import git, paths
from cifar10.evaluation import detector, temperature
from cifar10.evaluation.ensemble import mean_probabilities
from cifar10.evaluation.ensemble_detector import EnsembleDetector
from cifar10.export import graph
from cifar10.params import Params
from cifar10.predict.predictor import Classifier

PREPROCESSING = {
    "orientation": "turn the picture upright, by its Exif orientation",
    "colours": "RGB, 8 bits; transparent pixels over grey (128, 128, 128)",
    "crop": "the largest central part with this aspect ratio",
    "interpolation": "bicubic with antialiasing, as PIL.ImageOps.fit",
    "scaling": "none: the graph takes values from 0 to 255",
}
NOT_IN_GRAPH = (
    "the score needs outputs of hidden layers, which the graph does not return; cifar10-classify and the web "
    "page compute it. largest_probability is the threshold of a simpler score, the MSP"
)


def describe(chosen: Params, name: str, classifier: Classifier) -> dict[str, Any]:
    """Describe a model, without what is known once it is written.

    Args:
        chosen: params.yaml.
        name: of the model.
        classifier: its trainings, from `predictor.load`.
    """
    found, scale, seeds = classifier.detectors[name], classifier.temperatures[name], classifier.seeds
    height, width = classifier.size
    return {
        "model": name,
        "seeds": [*seeds],
        "classes": found.classes,
        "input": {
            "name": graph.INPUT,
            "dtype": "uint8",
            "shape": [None, *classifier.size, 3],
            "range": [0, 255],
        },
        "output": {
            "dtype": "float32",
            "shape": [None, len(found.classes)],
            "meaning": "probabilities, in the order of classes; mirror and temperature are applied",
        },
        "preprocessing": {"height": height, "width": width, **PREPROCESSING},
        "mirror": name in chosen.predict.mirror,
        "temperature": scale,
        "none_of_these": {
            "largest_probability": largest_probability(found, scale),
            "tpr": detector.TARGET_TPR,
            "detector": {
                "parts": found.parts,
                "threshold": found.threshold,
                "auroc": found.auroc,
                "in_graph": False,
                "reason": NOT_IN_GRAPH,
            },
        },
        "source": source([paths.model(name, seed) for seed in seeds]),
    }


def largest_probability(found: EnsembleDetector, scale: float) -> float | None:
    """Return the threshold of the largest probability, with a TPR of 95 % on the validation images.

    Returns:
        None with fewer than `temperature.LEAST` validation images.
    """
    validations = [each.validation for each in found.detectors]
    labels = validations[0].labels
    same = all(np.array_equal(labels, each.labels) for each in validations)
    if len(labels) < temperature.LEAST or not same:
        return None
    mean = mean_probabilities([each.probabilities for each in validations])
    return detector.threshold(temperature.scaled(mean, scale).max(axis=1))


def source(models: Sequence[Path]) -> dict[str, Any]:
    """Describe where a model comes from: git commit, whether files have changed since, trained models."""
    commit = git.line("rev-parse", "HEAD") or None
    changed = git.line("status", "--porcelain", "--", "params.yaml", "dvc.lock", "cifar10")
    return {
        "commit": commit,
        "uncommitted_changes": bool(changed) if commit else None,
        "models": {path.as_posix(): sha256(path) for path in models},
        "packages": {name: metadata.version(name) for name in ("keras", "numpy")},
    }


def contents(folder: Path) -> dict[str, Any]:
    """List the files below a folder: size and SHA-256 by path."""
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
