"""Label candidates: pictures whose label is likely wrong, by confident learning.

Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 2021. cleanlab
estimates how many labels are wrong; the candidates are as many pictures with the lowest probability of their
label. The probabilities come from networks that did not train on the picture.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from cleanlab.count import num_label_issues

from cifar10.evaluation.ensemble import mean_probabilities
from cifar10.report.results import Model, Results

COLUMNS = ["split", "index", "given", "predicted", "probability_given", "probability_predicted"]
DIGITS = 4  # of a probability in the table


class Candidates(NamedTuple):
    """Label candidates among P pictures, the likeliest first.

    Attributes:
        model: whose mean probabilities select the candidates.
        pictures: P.
        table: a row per candidate: split, index (position in the split), given and predicted class,
            probability_given and probability_predicted.
    """

    model: str
    pictures: int
    table: pd.DataFrame


def find(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the positions of the label candidates, int64 (C,), the likeliest first.

    Args:
        labels: int (N,), 0 to K - 1.
        probabilities: float (N, K), rows sum to 1, of networks that did not train on the pictures.
    """
    if len(np.unique(labels)) < 2:  # nothing to compare
        return np.zeros(0, np.int64)
    count = int(num_label_issues(labels, probabilities))
    lowest = np.argsort(probabilities[np.arange(len(labels)), labels], kind="stable")[:count]
    return lowest[probabilities[lowest].argmax(axis=1) != labels[lowest]]


def table(
    splits: Sequence[str],
    indices: Sequence[int],
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Tabulate the label candidates, with the columns of `Candidates.table`.

    Args:
        splits: of the N pictures.
        indices: positions in the splits, N.
        labels: int (N,).
        probabilities: float (N, K).
        classes: K names.
    """
    places = find(labels, probabilities)
    predicted = probabilities[places].argmax(axis=1)
    rows = [
        (
            splits[place],
            int(indices[place]),
            classes[labels[place]],
            classes[guess],
            round(float(probabilities[place, labels[place]]), DIGITS),
            round(float(probabilities[place, guess]), DIGITS),
        )
        for place, guess in zip(places, predicted, strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def held_out(model: Model) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return labels, int64 (N,), and mean probabilities, float64 (N, K), of validation and of test images."""
    held = [run.validation.probabilities for run in model.trainings]
    test = [run.probabilities for run in model.trainings]
    classes = len(model.classes)
    labels = model.first.validation.labels
    return [
        (labels, mean_probabilities(held).reshape(len(labels), classes)),
        (model.actual, mean_probabilities(test)),
    ]


def best(models: Sequence[Model]) -> Model:
    """Return the model whose mean probabilities are right most often: on validation images, if there are any.

    One good model finds more wrong labels than the mean over models (docs/data.md).
    """
    return max(models, key=lambda model: [*map(_accuracy, held_out(model))])


def of(found: Results) -> Candidates:
    """Find the label candidates among the validation and test pictures, by the best model."""
    chosen = best(found.models)
    parts = held_out(chosen)
    sizes = [len(labels) for labels, _ in parts]
    named = table(
        np.repeat(["validation", "test"], sizes).tolist(),
        np.concatenate([np.arange(size) for size in sizes]).tolist(),
        np.concatenate([labels for labels, _ in parts]),
        np.concatenate([probabilities for _, probabilities in parts]),
        found.classes,
    )
    return Candidates(chosen.name, sum(sizes), named)


def sentence(found: Candidates, pictures: str = "pictures that no model was trained on") -> str:
    """Say how many label candidates a model finds; `pictures` describes the pictures."""
    return f"Label candidates, by {found.model}: {len(found.table):,} of {found.pictures:,} {pictures}."


def _accuracy(part: tuple[np.ndarray, np.ndarray]) -> float:
    labels, probabilities = part
    return float((probabilities.argmax(axis=1) == labels).mean()) if len(labels) else 0.0
