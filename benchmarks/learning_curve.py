"""Compare a frozen pretrained base with networks from scratch, by the number of training pictures per class.

The pictures are drawn from the training images, nested and anew for each seed. With few pictures, a training
has more epochs than params.yaml says, so that it has at least `--steps` steps. With all pictures, a model of
params.yaml is not trained again: its accuracies are those of the pipeline, in reports/metrics. Writes
reports/NAME.json, .md and .png after every training.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cifar10  # noqa: F401  before NumPy: it pins the arithmetic

# isort: split
import numpy as np

from benchmarks import learning_curve_report as report
from cifar10 import errors, files, machine, params, paths, progress
from cifar10.data import dataset
from cifar10.data.dataset import Split
from cifar10.report import render
from cifar10.training import tensorflow_setup

if TYPE_CHECKING:
    from cifar10.training.prepared import Prepared  # loads TensorFlow

PRETRAINED = "pretrained"
BASE = {"EfficientNetLite0": {"weights": "imagenet", "train": "none", "image_size": 128}}
LAYERS = [{"Dense": {"units": "num_classes", "activation": "softmax"}}]
ALL = "all"


def main() -> None:
    """Train and test every network with every number of pictures and seed."""
    asked = arguments()
    chosen = with_pretrained(params.load())
    for name in asked.models:
        chosen.model(name)
    stem = paths.REPORTS / asked.name
    found = {
        "machine": machine.describe(),
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "steps": asked.steps,
        "rows": [],
    }
    if asked.add:
        found["rows"] = earlier(stem.with_suffix(".json"), found)
    training, test = dataset.load("train"), dataset.load("test")
    with tensorflow_setup.tensorflow(chosen.train.portable):
        from cifar10.training import models

        models.make_deterministic(seed=0)
    for each, name in itertools.product(asked.per_class, asked.models):
        for seed in asked.seeds:
            known = of_pipeline(name, seed) if each == ALL else None
            if known is not None:
                row = {"images": len(training.labels), "accuracy": known}
            else:
                row = measure(name, chosen, subset(training, each, seed), test, seed, asked.steps)
            found["rows"].append({"model": name, "per_class": each, "seed": seed, **row})
            progress.log(f"{name}, {each} per class, seed {seed}: accuracy {row['accuracy']:.4f}")
            report.write(found, stem)


def earlier(file: Path, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an earlier call.

    Raises:
        SystemExit: it measured something else than `found` describes.
    """
    known = files.read_json(file)
    for key in ("machine", "data", "steps"):
        if known[key] != found[key]:
            raise SystemExit(
                f"error: {file}: expected the {key} {found[key]}, found {known[key]}: "
                "leave out --add to measure all again, or choose another --name"
            )
    return known["rows"]


def of_pipeline(name: str, seed: int) -> float | None:
    """Return the test accuracy of the pipeline's training, if there is one."""
    file = paths.evaluation(name, seed)
    return files.read_json(file)["test"]["accuracy"] if file.exists() else None


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    counts: dict[str, Any] = {"type": lambda text: text if text == ALL else int(text), "metavar": "N"}
    parser.add_argument("--per-class", nargs="+", default=[10, 50, 500, ALL], help="pictures", **counts)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED")
    parser.add_argument("--models", nargs="+", default=[PRETRAINED, "model_0", "model_3"], metavar="NAME")
    parser.add_argument("--steps", type=int, default=600, help="of a training, at least (default: 600)")
    parser.add_argument("--name", default=report.NAME, help=f"of the files (default: {report.NAME})")
    parser.add_argument("--add", action="store_true", help="keep the rows of an earlier call")
    return parser.parse_args()


def with_pretrained(chosen: params.Params) -> params.Params:
    """Add the model PRETRAINED."""
    own = {"epochs": 10, "batch_size": 32}
    optimizer = {"Adam": {"learning_rate": 0.001}}
    fields = {"optimizer": optimizer, "base": BASE, "layers": LAYERS, "train": own}
    entry = params.Model.model_validate(fields)
    return chosen.model_copy(update={"models": {**chosen.models, PRETRAINED: entry}})


def subset(training: Split, per_class: int | str, seed: int) -> Split:
    """Draw pictures of each class, in the order of the split; smaller numbers are parts of larger ones."""
    if per_class == ALL:
        return training
    drawn = np.random.default_rng(seed).permutation(len(training.labels))
    kept = [drawn[training.labels[drawn] == label][:per_class] for label in np.unique(training.labels)]
    indices = np.sort(np.concatenate(kept))
    return Split(training.images[indices], training.labels[indices])


def measure(
    name: str, chosen: params.Params, training: Split, test: Split, seed: int, steps: int
) -> dict[str, Any]:
    """Train a network and test it: images, epochs, seconds (with the features), accuracy from 0 to 1."""
    from cifar10.training import models
    from cifar10.training.backbones import frozen

    settings = chosen.train_of(name)
    batch = min(settings.batch_size, len(training.labels))
    per_epoch = -(-len(training.labels) // batch)
    epochs = max(settings.epochs, -(-steps // per_epoch))
    own = chosen.models[name].train.model_copy(update={"epochs": epochs, "batch_size": batch})
    entry = chosen.models[name].model_copy(update={"train": own})
    chosen = chosen.model_copy(update={"models": {name: entry}})
    started = time.monotonic()
    made = trained(name, chosen, training, seed)
    seconds = time.monotonic() - started
    if made.frozen:
        test = frozen.with_features(made.model, made.frozen, test)
    (scores,) = models.predictor(made.trained_network())(test.images)
    accuracy = float((scores.argmax(axis=1) == test.labels).mean())
    return {"images": len(training.labels), "epochs": epochs, "seconds": seconds, "accuracy": accuracy}


def trained(name: str, chosen: params.Params, training: Split, seed: int) -> "Prepared":
    """Train a network of params.yaml with one seed, without validation images."""
    from cifar10.training import models, prepared

    models.keras.utils.set_random_seed(seed)
    shape, nothing = training.images.shape[1:], Split(training.images[:0], training.labels[:0])
    made = prepared.prepare(name, chosen, training.labels, dataset.class_names(), shape=shape)
    for _ in made.train(training, nothing, chosen.train_of(name), seed, [], lambda *_: None):
        pass
    return made


if __name__ == "__main__":
    errors.run(main)
