"""Measure one trained model on the test images; write its metrics, predictions and architecture."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not

from cifar10 import dataset, errors, files, metrics, params, paths, progress, startup
from cifar10.probabilities import normalize


def main() -> None:
    """Read the model and the test images, predict, write what the report needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    name = parser.parse_args().model
    entry = params.load().model(name)
    test, class_names = dataset.load("test"), dataset.class_names()

    with startup.tensorflow():
        from cifar10 import models  # here, since it takes seconds and a typo should not

        models.configure(seed=0)  # nothing is drawn; one thread, for the same bits
    model = models.build(name, entry, len(class_names))
    models.load_weights(model, paths.model(name))
    probabilities = normalize(models.predictor(model)(test.images))
    figures = {
        "test": metrics.summary(probabilities, test.labels, class_names),
        **last_epoch(pd.read_csv(paths.history(name))),
        "model": {"parameters": model.count_params(), "bytes": paths.model(name).stat().st_size},
    }
    with files.replacing(paths.predictions(name)) as beside:
        table(probabilities, test.labels, class_names).to_csv(beside, index=False, lineterminator="\n")
    files.write_json(paths.architecture(name), models.architecture(model))
    files.write_json(paths.metrics(name), figures)
    progress.log(f"{name}: test accuracy {figures['test']['accuracy']:.4f}, written to {paths.metrics(name)}")


def table(probabilities: np.ndarray, labels: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """Put predictions into the columns actual, predicted and a probability for each class."""
    names = np.array(class_names)
    frame = pd.DataFrame(probabilities.astype(np.float32), columns=[f"probability_{n}" for n in class_names])
    frame.insert(0, "actual", names[labels])
    frame.insert(1, "predicted", names[probabilities.argmax(axis=1)])
    return frame


def last_epoch(history: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Take the training figures, and the validation figures where there are some, of the last epoch."""
    row = history.iloc[-1]
    figures = {"train": {"accuracy": float(row["accuracy"]), "loss": float(row["loss"])}}
    if pd.notna(row["val_loss"]):
        figures["validation"] = {"accuracy": float(row["val_accuracy"]), "loss": float(row["val_loss"])}
    return figures


if __name__ == "__main__":
    errors.run(main)
