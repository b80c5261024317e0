"""Evaluate one trained model on test images and OOD datasets; write its metrics and predictions."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import errors, files, params, paths, progress
from cifar10.data import dataset
from cifar10.evaluation import metrics, ood, ood_datasets
from cifar10.training import tensorflow_setup, versions

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs


def main() -> None:
    """Load the model and the images, predict, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    name = parser.parse_args().model
    chosen, test, class_names = params.load(), dataset.load("test"), dataset.class_names()
    entry = chosen.model(name)
    versions.check_versions()

    with tensorflow_setup.tensorflow():
        from cifar10.evaluation import features, trained_models  # takes seconds
        from cifar10.training import models

        models.make_deterministic(seed=0)  # one thread; the results do not depend on the seed
    model = models.build(name, entry, len(class_names))
    trained_models.load_weights(model, paths.model(name))
    extract = features.feature_extractor(model)
    outputs = extract(test.images)
    measured = {
        "test": metrics.summary(outputs.probabilities, test.labels, class_names),
        **metrics.last_epoch(paths.history(name)),
        "model": trained_models.facts(model, paths.model(name)),
    }
    predictions = metrics.predictions(outputs.probabilities, test.labels, class_names)
    files.write_text(paths.predictions(name), predictions.to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.architecture(name), trained_models.architecture(model))
    files.write_json(paths.metrics(name), measured)
    files.write_json(paths.ood_metrics(name), measure_ood(name, extract, outputs, chosen.data.source))
    accuracy = measured["test"]["accuracy"]
    progress.log(f"{name}: test accuracy {accuracy:.4f}, written to {paths.metrics(name)}")


def measure_ood(name: str, extract: ood.FeatureExtractor, test: "Outputs", source: str) -> dict[str, Any]:
    """Fit the OOD detector, write it beside the model, and return its metrics."""
    training = dataset.load("train")
    validation, threshold_data = ood.threshold_images(training, dataset.load("validation"))
    pseudo_ood = ood_datasets.pseudo_ood(validation.images, validation.labels)
    detectors, choice = ood.fit(extract, training, validation, pseudo_ood, dataset.class_names())
    detector = detectors[choice["score"]]
    outputs = {kind: extract(images) for kind, images in ood_datasets.load(source).items()}
    ood.save(detector, paths.ood_detector(name))
    scores = ood.table(detector, {"test": test, **outputs})
    files.write_text(paths.ood_scores(name), scores.to_csv(index=False, lineterminator="\n"))
    return {
        **choice,
        "threshold_data": threshold_data,
        "scores": ood.measure(detectors, test, outputs),
        "person": ood.person_answer(detector, extract(ood_datasets.person()[None])),
    }


if __name__ == "__main__":
    errors.run(main)
