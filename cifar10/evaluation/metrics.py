"""Accuracy, loss, F1 and calibration of a model, from its probabilities."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from cifar10 import files
from cifar10.evaluation import accuracy_interval
from cifar10.training.probabilities import cross_entropy

BINS = 15  # of the reliability diagram, as in Guo et al. 2017


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Compare confidence with accuracy in `bins` equal ranges of confidence, the largest probability.

    Bins are (lower, upper], as in Guo et al., On Calibration of Modern Neural Networks, ICML 2017.

    Args:
        probabilities: float (N, K), rows sum to 1.
        labels: int (N,).
        bins: number of ranges.

    Returns:
        A row per bin: lower, upper, images (count), confidence and accuracy (means, NaN if empty).
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    index = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    images = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "lower": edges[:-1],
                "upper": edges[1:],
                "images": images,
                "confidence": np.bincount(index, confidence, bins) / images,
                "accuracy": np.bincount(index, correct, bins) / images,
            }
        )


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error: mean |confidence - accuracy|, weighted by images (0 to 1)."""
    table = reliability(probabilities, labels, bins).dropna()
    gap = (table["confidence"] - table["accuracy"]).abs()
    return float((gap * table["images"]).sum() / table["images"].sum())


def summary(probabilities: np.ndarray, labels: np.ndarray, class_names: list[str]) -> dict[str, Any]:
    """Compute the test metrics of a model.

    Args:
        probabilities: float (N, K), rows sum to 1.
        labels: int (N,).
        class_names: K names.

    Returns:
        accuracy with its 95 % interval, loss (nats), macro_f1, calibration_error, class_accuracy by name
        (None for a class without images).
    """
    predicted = probabilities.argmax(axis=1)
    low, high = accuracy_interval.wilson(int((predicted == labels).sum()), len(labels))
    return {
        "accuracy": float((predicted == labels).mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "loss": cross_entropy(probabilities, labels),
        "macro_f1": float(
            f1_score(labels, predicted, labels=range(len(class_names)), average="macro", zero_division=0)
        ),
        "calibration_error": calibration_error(probabilities, labels),
        "class_accuracy": {
            name: float((predicted[labels == index] == index).mean()) if (labels == index).any() else None
            for index, name in enumerate(class_names)
        },
    }


def predictions(probabilities: np.ndarray, labels: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """Tabulate predictions: actual, predicted and a probability per class."""
    names = np.array(class_names)
    frame = pd.DataFrame(probabilities.astype(np.float32), columns=[f"probability_{n}" for n in class_names])
    frame.insert(0, "actual", names[labels])
    frame.insert(1, "predicted", names[probabilities.argmax(axis=1)])
    return frame


def write_predictions(
    path: Path, labels: np.ndarray, probabilities: np.ndarray, class_names: list[str]
) -> None:
    """Write the table of `predictions` as CSV."""
    table = predictions(probabilities, labels, class_names)
    files.write_text(path, table.to_csv(index=False, lineterminator="\n"))


def kept_epoch(history: Path) -> dict[str, dict[str, float]]:
    """Read the training metrics, and the validation metrics if present, of the epoch whose weights are kept.

    Args:
        history: the CSV file of a training. Its column `kept` is 1 for this epoch; without the column it is
            the last one.
    """
    rows = pd.read_csv(history)
    row = (rows[rows["kept"] == 1] if "kept" in rows else rows).iloc[-1]
    found = {"train": {"accuracy": float(row["accuracy"]), "loss": float(row["loss"])}}
    if pd.notna(row["val_loss"]):
        found["validation"] = {"accuracy": float(row["val_accuracy"]), "loss": float(row["val_loss"])}
    return found
