"""Train one model of params.yaml on the training images; write its .h5 file and its history."""

import argparse
import sys
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not

from cifar10 import dataset, errors, files, params, paths, progress, quiet


def main() -> None:
    """Read the splits, train, write the model and its history."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    name = parser.parse_args().model
    settings = params.load()
    entry = settings.model(name)
    training, validation = dataset.load("train"), dataset.load("validation")
    num_classes = len(dataset.class_names())

    with quiet.tensorflow():
        from cifar10 import models  # here, since it takes seconds and a typo should not
        from cifar10 import training as trainer

        models.configure(settings.train.seed)
    model = models.build(name, entry, num_classes)
    optimizer = models.optimizer(name, entry)
    steps = -(-len(training.labels) // settings.train.batch_size)
    started = time.monotonic()
    history = []
    with progress.bar(total=steps * settings.train.epochs, desc=name, unit=" steps") as bar:

        def show(done: int, loss: float, accuracy: float) -> None:
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{accuracy:.4f}", refresh=False)
            bar.update(done)

        for epoch in trainer.train(model, optimizer, training, validation, settings.train, show):
            history.append(epoch.row())
            progress.log(f"{name}: {describe(history[-1], settings.train.epochs)}")
    models.save(model, paths.model(name))
    with files.replacing(paths.history(name)) as beside:
        pd.DataFrame(history).to_csv(beside, index=False, lineterminator="\n")
    progress.log(f"{name}: trained in {time.monotonic() - started:.1f} s, written to {paths.model(name)}")


def describe(row: dict[str, float | None], epochs: int) -> str:
    """Put a line of the history into words."""
    text = f"epoch {row['epoch']}/{epochs}: loss {row['loss']:.4f}, accuracy {row['accuracy']:.4f}"
    if row["val_loss"] is None:
        return text
    return f"{text}, validation loss {row['val_loss']:.4f}, accuracy {row['val_accuracy']:.4f}"


if __name__ == "__main__":
    errors.run(main)
