"""Train one model of params.yaml with one seed; write its .h5 file and its history."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import arithmetic, files, params, paths, progress, stage_arguments, stage_names, stage_process
from cifar10.data import dataset
from cifar10.training import checkpoint, tensorflow_setup, versions

NOTE = "An interrupted training resumes after its last full epoch and gives the same bytes."


def main() -> None:
    """Load the splits, train, and write the model and its history."""
    settings, name, seed = stage_arguments.parse(__doc__, NOTE)
    entry, label = settings.models[name], stage_names.label(name, seed)
    training, validation = dataset.load("train"), dataset.load("validation")
    num_classes = len(dataset.class_names())
    versions.check_versions()

    with tensorflow_setup.tensorflow(settings.train.portable):
        from cifar10.training import loop, models  # a slow import, after the checks

        models.make_deterministic(seed)
    model = models.build(name, entry, num_classes)
    optimizer = models.optimizer(name, entry)
    started, variables = time.monotonic(), loop.train_state(model, optimizer)
    computed_with = arithmetic.in_effect()
    key = identity(name, seed, settings)
    saved = checkpoint.Checkpoint(paths.checkpoint(name, seed), key, computed_with)
    history = saved.load(variables)
    if history:
        progress.log(f"{label}: resuming after epoch {len(history)}")
    elif refusal := saved.refusal():
        progress.log(f"{label}: starting over, the checkpoint is not usable: {refusal}")
    steps = -(-len(training.labels) // settings.train.batch_size)  # per epoch
    whole = {"total": steps * settings.train.epochs, "initial": steps * len(history)}
    with progress.bar(desc=label, unit=" steps", **whole) as bar:

        def show(done: int, loss: float, accuracy: float) -> None:
            bar.set_description(f"{label}: epoch {len(history) + 1}/{settings.train.epochs}", refresh=False)
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{accuracy:.4f}", refresh=False)
            bar.update(done)

        first = len(history) + 1
        plan = (settings.train, seed, first, show, entry.augment)
        for epoch in loop.train(model, optimizer, training, validation, *plan):
            history.append(epoch.row())
            saved.save(history, variables)
            progress.log(f"{label}: {epoch.describe(settings.train.epochs)}")
    target = paths.model(name, seed)
    models.save(model, target, computed_with)
    files.write_csv(paths.history(name, seed), history)
    saved.remove()
    progress.log(f"{label}: trained in {time.monotonic() - started:.1f} s, written to {target}")


def identity(name: str, seed: int, settings: params.Params) -> str:
    """Identify this training by its parameters, images and code."""
    train = settings.train.model_dump(exclude={"seeds"})
    chosen = {"name": name, "seed": seed, "model": settings.models[name].model_dump(), "train": train}
    splits = [path(split) for split in ("train", "validation") for path in (paths.images, paths.labels)]
    return checkpoint.key(chosen, [Path(__file__), paths.CLASSES, *splits])


if __name__ == "__main__":
    stage_process.run(main)
