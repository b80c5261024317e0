"""Train one model of params.yaml with one seed; write its .h5 file and its history."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import (
    arithmetic,
    files,
    paths,
    progress,
    stage_arguments,
    stage_names,
    stage_process,
    stop_signals,
)
from cifar10.data import dataset
from cifar10.training import checkpoint, subset, tensorflow_setup, versions

NOTE = "An interrupted training resumes after its last full epoch and gives the same bytes."


def main() -> None:
    """Load the splits, train, and write the model and its history."""
    settings, name, seed = stage_arguments.parse(__doc__, NOTE)
    train, label = settings.train_of(name), stage_names.label(name, seed)
    training, validation = subset.load(name, train)
    versions.check_versions()

    with tensorflow_setup.tensorflow(train.portable):
        from cifar10.training import devices, models, prepared, selection  # slow, after the checks

        models.make_deterministic(seed, train.device, train.threads)
    shape = training.images.shape[1:]
    made = prepared.prepare(name, settings, training.labels, dataset.class_names(), shape=shape)
    started, computed_with = time.monotonic(), {**arithmetic.in_effect(), **devices.in_effect()}
    key = checkpoint.identity(name, seed, settings, Path(__file__))
    saved = checkpoint.Checkpoint(paths.checkpoint(name, seed), key, computed_with)
    history = saved.load(made.state)
    if history:
        progress.log(f"{label}: resuming after epoch {len(history)}")
    elif refusal := saved.refusal():
        progress.log(f"{label}: starting over, the checkpoint is not usable: {refusal}")
    whole = {"total": made.steps.total, "initial": made.steps.per_epoch * len(history)}
    with progress.bar(desc=label, unit=" steps", **whole) as bar:

        def show(done: int, loss: float, accuracy: float) -> None:
            bar.set_description(f"{label}: epoch {len(history) + 1}/{train.epochs}", refresh=False)
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{accuracy:.4f}", refresh=False)
            bar.update(done)
            stop_signals.check()

        for epoch in made.train(training, validation, train, seed, history, show):
            history.append(epoch.row())
            saved.save(history, made.state)
            files.write_csv(paths.history(name, seed), history)  # for `make watch`
            progress.log(f"{label}: {epoch.describe(train.epochs)}")
    target = paths.model(name, seed)
    models.save(made.model, target, computed_with)
    files.write_csv(paths.history(name, seed), selection.marked(history, train.keep))
    saved.remove()
    if note := selection.note(history, train):
        progress.log(f"{label}: {note}")
    progress.log(f"{label}: trained in {time.monotonic() - started:.1f} s, written to {target}")


if __name__ == "__main__":
    stage_process.run(main)
