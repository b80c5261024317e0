"""Train one model of params.yaml on the training images; write its .h5 file and its history."""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import arithmetic, errors, files, params, paths, progress
from cifar10.data import dataset
from cifar10.training import checkpoint, tensorflow_setup, versions

NOTE = "An interrupted training resumes after its last full epoch and gives the same bytes."


def main() -> None:
    """Load the splits, train, and write the model and its history."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=NOTE)
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    name = parser.parse_args().model
    settings = params.load()
    entry = settings.model(name)
    training, validation = dataset.load("train"), dataset.load("validation")
    num_classes = len(dataset.class_names())
    versions.check_versions()

    with tensorflow_setup.tensorflow(settings.train.portable):
        from cifar10.training import loop, models  # a slow import, after the checks

        models.make_deterministic(settings.train.seed)
    model = models.build(name, entry, num_classes)
    optimizer = models.optimizer(name, entry)
    started, variables = time.monotonic(), loop.train_state(model, optimizer)
    computed_with = arithmetic.in_effect()
    saved = checkpoint.Checkpoint(paths.checkpoint(name), identity(name, settings), computed_with)
    history = saved.load(variables)
    if history:
        progress.log(f"{name}: resuming after epoch {len(history)}")
    elif refusal := saved.refusal():
        progress.log(f"{name}: starting over, the checkpoint is not usable: {refusal}")
    steps = -(-len(training.labels) // settings.train.batch_size)  # per epoch
    whole = {"total": steps * settings.train.epochs, "initial": steps * len(history)}
    with progress.bar(desc=name, unit=" steps", **whole) as bar:

        def show(done: int, loss: float, accuracy: float) -> None:
            bar.set_description(f"{name}: epoch {len(history) + 1}/{settings.train.epochs}", refresh=False)
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{accuracy:.4f}", refresh=False)
            bar.update(done)

        first = len(history) + 1
        for epoch in loop.train(model, optimizer, training, validation, settings.train, first, show):
            history.append(epoch.row())
            saved.save(history, variables)
            progress.log(f"{name}: {epoch.describe(settings.train.epochs)}")
    models.save(model, paths.model(name), computed_with)
    files.write_csv(paths.history(name), history)
    saved.remove()
    progress.log(f"{name}: trained in {time.monotonic() - started:.1f} s, written to {paths.model(name)}")


def identity(name: str, settings: params.Params) -> str:
    """Identify this training by its parameters, images and code."""
    chosen = {"name": name, "model": settings.models[name].model_dump(), "train": settings.train.model_dump()}
    splits = [path(split) for split in ("train", "validation") for path in (paths.images, paths.labels)]
    return checkpoint.key(chosen, [Path(__file__), paths.CLASSES, *splits])


if __name__ == "__main__":
    errors.run(main)
