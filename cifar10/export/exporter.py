"""Write the folder of an export, and compare the export with the model."""

import shutil
from pathlib import Path

from cifar10 import files, progress
from cifar10.evaluation import trained_models
from cifar10.export import description, folder, graph, runtimes, self_check, writers
from cifar10.export.formats import FORMATS
from cifar10.export.quiet import quiet
from cifar10.params import Params
from cifar10.paths import model as model_path
from cifar10.predict import predictor
from cifar10.predict.predictor import Classifier
from cifar10.training import models
from cifar10.training.models import keras

TEMPLATES = Path(__file__).with_name("templates")


def export(chosen: Params, name: str, kind: str, target: Path, seed: str | None, int8: bool) -> list[str]:
    """Write a trained model with its description and an example program, as a whole or not at all.

    Args:
        chosen: params.yaml.
        name: of the model.
        kind: one of FORMATS.
        target: the folder, from `folder.check`.
        seed: the one training to use, as text; None for the ensemble of all.
        int8: whether weights have 8 bits.

    Returns:
        Lines about the export and its comparison with the model.

    Raises:
        UserError: as for `predictor.load`; a format cannot express a layer, or gives other probabilities.
        OSError: a file cannot be written.
    """
    progress.log(f"{name}: loading")
    classifier = predictor.load([name], seed)
    calibration = self_check.calibration(classifier.size) if int8 else None
    sample = self_check.sample(classifier.size)
    expected = classifier.classify(sample.images)[name].probabilities
    with folder.replacing(target) as new:
        path = new / FORMATS[kind].file
        progress.log(f"{name}: writing {target / path.name}")
        with quiet():
            writers.write(_graph(chosen, name, classifier), kind, path, calibration)
            written = description.contents(new)
            found = self_check.compare(sample, expected, runtimes.load(kind, path))
        if not int8:
            self_check.check(found)
        content = {
            "format": kind,
            "file": path.name,
            "quantized": "int8" if int8 else None,
            **description.describe(chosen, name, classifier),
            "files": written,
            "check": found,
        }
        files.write_json(new / folder.DESCRIPTION, content)
        shutil.copyfile(TEMPLATES / f"{kind}.py", new / folder.EXAMPLE)
    size = sum(each["bytes"] for each in written.values()) / 1e6
    seeds = ", ".join(map(str, classifier.seeds))
    return [f"{target}: {name}, seeds {seeds}, {size:.1f} MB", *self_check.words(found, int8)]


def _graph(chosen: Params, name: str, classifier: Classifier) -> keras.Model:
    """Build the graph of the trainings of a classifier."""
    trainings = []
    for seed in classifier.seeds:
        model = models.build(name, chosen.model(name), len(classifier.classes), (*classifier.size, 3))
        trained_models.load_weights(model, model_path(name, seed))
        trainings.append(model)
    return graph.build(name, trainings, name in chosen.predict.mirror, classifier.temperatures[name])
