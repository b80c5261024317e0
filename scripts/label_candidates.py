"""List the training pictures whose label is likely wrong, and draw the likeliest: `make audit LABELS=1`.

Each picture gets the probabilities of a network that was trained on the others: the training pictures are
divided into five parts, and a model of params.yaml is trained five times, each time without one part. A group
of pictures (data.groups) stays in one part. Writes reports/label_candidates_train.csv and .png.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, files, params, paths, progress
from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.training import tensorflow_setup, versions

# isort: split
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from cifar10.report import label_candidates, plot_label_candidates, plots, results
from cifar10.training.probabilities import normalize

FOLDS = 5
STEM = paths.REPORTS / "label_candidates_train"


def main() -> None:
    """Read the command line, train without each part, write the candidates."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("model", nargs="?", help="name in params.yaml (default: the first model)")
    parser.add_argument("--epochs", type=int, help="of each training (default: that of params.yaml)")
    given, chosen = parser.parse_args(), params.load()
    name = given.model or next(iter(chosen.models))
    chosen = settings(chosen, name, given.epochs)
    training, class_names = dataset.load("train"), dataset.class_names()
    versions.check_versions()
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models

        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # no warning that each training compiles anew
        models.make_deterministic(0, chosen.train.device, chosen.train.threads)

    started = time.monotonic()

    def fit(part: Split, images: np.ndarray) -> np.ndarray:
        progress.log(f"{name}: training on {len(part.labels):,} of {len(training.labels):,} pictures")
        return trained(name, chosen, class_names, part)(images)

    groups = np.load(paths.GROUPS) if paths.GROUPS.exists() else None
    probabilities = cross_validated(training, class_names, fit, groups)
    names = np.repeat("train", len(training.labels)).tolist()
    table = label_candidates.table(names, range(len(names)), training.labels, probabilities, class_names)
    written, drawn = STEM.with_suffix(".csv"), STEM.with_suffix(".png")
    files.write_text(written, table.to_csv(index=False, lineterminator="\n"))
    where = f"All are in {written}, the likeliest in {drawn}."
    if table.empty:
        drawn.unlink(missing_ok=True)  # of an earlier call
        where = f"{written} has no rows, and there is no figure."
    else:
        figure = plot_label_candidates.draw(table, class_names, results.pictures)
        with files.replacing(drawn) as beside:
            plots.save(figure, beside)
    right = (probabilities.argmax(axis=1) == training.labels).mean()
    found = label_candidates.Candidates(name, len(names), table)
    print(
        f"{label_candidates.sentence(found, 'training pictures')}\n"
        f"Accuracy on the pictures left out: {100 * right:.2f} %. Time: {time.monotonic() - started:.0f} s.\n"
        f"{where}"
    )


def settings(chosen: params.Params, name: str, epochs: int | None) -> params.Params:
    """Return parameters for trainings without validation pictures: the last epoch counts.

    Raises:
        UserError: there is no such model, or the number of epochs is below 1.
    """
    if epochs is not None and epochs < 1:
        raise UserError(f"--epochs: got {epochs}, expected 1 or more")
    entry = chosen.model(name)
    replaced = {"keep": "last", "early_stopping": None, "epochs": epochs or chosen.train_of(name).epochs}
    own = entry.train.model_copy(update=replaced)
    return chosen.model_copy(update={"models": {name: entry.model_copy(update={"train": own})}})


def cross_validated(
    split: Split,
    class_names: list[str],
    fit: Callable[[Split, np.ndarray], np.ndarray],
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Return probabilities, float64 (N, K), of networks that did not train on the picture or on its group.

    Args:
        split: N pictures.
        class_names: K names.
        fit: trains on some pictures and returns the probabilities, (M, K), of M others.
        groups: int (N,); None if each picture is a group of its own.

    Raises:
        UserError: a class has fewer pictures, or groups, than there are parts.
    """
    found = np.empty((len(split.labels), len(class_names)))
    for kept, left_out in folds(split.labels, class_names, groups):
        found[left_out] = fit(Split(split.images[kept], split.labels[kept]), split.images[left_out])
    return found


def folds(
    labels: np.ndarray, class_names: list[str], groups: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the indices of the pictures to train on and those of a part; arguments as `cross_validated`."""
    units = np.arange(len(labels)) if groups is None else groups
    counts = [len(np.unique(units[labels == label])) for label in range(len(class_names))]
    if min(counts) < FOLDS:
        noun, way = ("training pictures", "") if groups is None else ("groups", "use smaller groups, or ")
        name = class_names[int(np.argmin(counts))]
        raise UserError(
            f"class {name} has {min(counts)} {noun}, expected at least {FOLDS}: {way}add pictures"
        )
    options = {"n_splits": FOLDS, "shuffle": True, "random_state": 0}
    if groups is None:
        yield from StratifiedKFold(**options).split(labels, labels)
    else:
        yield from StratifiedGroupKFold(**options).split(labels, labels, groups)


def trained(
    name: str, chosen: params.Params, class_names: list[str], part: Split, seed: int = 0
) -> Callable[[np.ndarray], np.ndarray]:
    """Train a new network; return a function from images to probabilities.

    Args:
        name: of the model.
        chosen: from `settings`.
        class_names: of the data.
        part: the pictures to train on.
        seed: of the weights and of the order of the pictures.
    """
    import keras

    from cifar10.training import models, prepared

    keras.utils.set_random_seed(seed)
    train, none = chosen.train_of(name), Split(part.images[:0], part.labels[:0])
    shape = part.images.shape[1:]
    made = prepared.prepare(name, chosen, part.labels, class_names, shape=shape)
    with progress.bar(desc=name, unit=" steps", total=made.steps.total) as bar:

        def show(done: int, *_: float) -> None:
            bar.update(done)

        for _ in made.train(part, none, train, seed, [], show):
            pass
    predict = models.predictor(made.model)
    return lambda images: normalize(predict(images)[0])


if __name__ == "__main__":
    errors.run(main)
