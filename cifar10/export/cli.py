"""Write a trained model for other programs: its graph, a JSON that describes it and an example program."""

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cifar10 import errors, files
from cifar10.export import arguments, folder, formats

if TYPE_CHECKING:
    from cifar10.params import Params
    from cifar10.training.models import keras

# Slow imports are inside the functions, so that `--help` and usage errors are fast.

TEMPLATES = Path(__file__).with_name("templates")


def run() -> None:
    """Run `main` as a command."""
    errors.run(main)


def main() -> None:
    """Export a model, compare the export with the model, print the result."""
    options = arguments.parser(__doc__).parse_args()
    from cifar10 import params

    chosen = params.load()
    chosen.model(options.model)
    if options.seed is not None:
        chosen.seed(options.seed)
    formats.check(options.format, options.quantize)
    target = arguments.folder(options)
    folder.check(target, options.force)
    lines = _export(options, chosen, target)
    print("\n".join(lines), flush=True)


def _export(options: argparse.Namespace, chosen: "Params", target: Path) -> list[str]:
    """Write the folder; return what to print."""
    # before TensorFlow: `tensorflow_setup` hides modules that these need
    from cifar10 import progress
    from cifar10.evaluation import predictions  # noqa: F401
    from cifar10.export import self_check
    from cifar10.export.quiet import quiet
    from cifar10.training import tensorflow_setup

    with tensorflow_setup.tensorflow():
        from cifar10.predict import predictor
        from cifar10.training import models

        models.make_deterministic(seed=0)  # the same bits as `evaluate`
    from cifar10.export import description, runtimes, writers

    name, kind = options.model, options.format
    calibration = self_check.calibration() if options.quantize else None
    progress.log(f"{name}: loading")
    classifier = predictor.load([name], options.seed)
    sample = self_check.sample()
    expected = classifier.classify(sample.images)[name].probabilities
    scale, seeds = classifier.temperatures[name], classifier.seeds
    described = description.describe(chosen, name, seeds, classifier.detectors[name], scale)
    with folder.replacing(target) as new:
        path = new / formats.FORMATS[kind].file
        progress.log(f"{name}: writing {target / path.name}")
        with quiet():
            writers.write(_graph(chosen, name, seeds, scale), kind, path, calibration)
        written = description.contents(new)
        with quiet():
            found = self_check.compare(sample, expected, runtimes.load(kind, path))
        if not options.quantize:
            self_check.check(found)
        about = {"format": kind, "file": path.name, "quantized": options.quantize}
        files.write_json(new / folder.DESCRIPTION, about | described | {"files": written, "check": found})
        shutil.copyfile(TEMPLATES / f"{kind}.py", new / folder.EXAMPLE)
    size = description.size(written) / 1e6
    trainings = f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
    return [f"{target}: {name}, {trainings}, {size:.1f} MB", *self_check.words(found, bool(options.quantize))]


def _graph(chosen: "Params", name: str, seeds: list[int], scale: float) -> "keras.Model":
    """Build the graph of trainings, with their weights."""
    from cifar10 import paths
    from cifar10.evaluation import detector, trained_models
    from cifar10.export import graph
    from cifar10.training import models

    classes = detector.load(paths.ood_detector(name, seeds[0])).classes
    trainings = []
    for seed in seeds:
        model = models.build(name, chosen.model(name), len(classes))
        trained_models.load_weights(model, paths.model(name, seed))
        trainings.append(model)
    return graph.build(name, trainings, name in chosen.predict.mirror, scale)
