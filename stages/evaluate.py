"""Measure one trained model on the test images and on images of no class; write what the report needs."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not
from cifar10 import errors, files, params, paths, progress
from cifar10.data import dataset
from cifar10.evaluation import metrics, ood, ood_datasets
from cifar10.training import tensorflow_setup, versions

if TYPE_CHECKING:
    from cifar10.evaluation.features import Outputs


def main() -> None:
    """Read the model and the images, predict, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    name = parser.parse_args().model
    chosen = params.load()
    entry = chosen.model(name)
    test, class_names = dataset.load("test"), dataset.class_names()
    versions.check_versions()

    with tensorflow_setup.tensorflow():
        from cifar10.evaluation import features, trained_models  # here, since it takes seconds
        from cifar10.training import models

        models.make_deterministic(seed=0)  # nothing is drawn; one thread, for the same bits
    model = models.build(name, entry, len(class_names))
    trained_models.load_weights(model, paths.model(name))
    look = features.feature_extractor(model)
    outputs = look(test.images)
    figures = {
        "test": metrics.summary(outputs.probabilities, test.labels, class_names),
        **metrics.last_epoch(paths.history(name)),
        "model": trained_models.facts(model, paths.model(name)),
    }
    predictions = metrics.predictions(outputs.probabilities, test.labels, class_names)
    files.write_text(paths.predictions(name), predictions.to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.architecture(name), trained_models.architecture(model))
    files.write_json(paths.metrics(name), figures)
    files.write_json(paths.ood_metrics(name), measure_ood(name, look, outputs, chosen.data.source))
    progress.log(f"{name}: test accuracy {figures['test']['accuracy']:.4f}, written to {paths.metrics(name)}")


def measure_ood(name: str, look: ood.FeatureExtractor, test: "Outputs", source: str) -> dict[str, Any]:
    """Calibrate the answer `none of these`, write it beside the model, return how good it is."""
    training = dataset.load("train")
    validation, threshold_data = ood.threshold_images(training, dataset.load("validation"))
    proxies = ood_datasets.pseudo_ood(validation.images, validation.labels)
    detectors, choice = ood.fit(look, training, validation, proxies, dataset.class_names())
    picked = detectors[choice["score"]]
    novel = {kind: look(images) for kind, images in ood_datasets.load(source).items()}
    ood.save(picked, paths.ood_detector(name))
    scores = ood.table(picked, {"test": test, **novel})
    files.write_text(paths.ood_scores(name), scores.to_csv(index=False, lineterminator="\n"))
    return {
        **choice,
        "threshold_data": threshold_data,
        "scores": ood.measure(detectors, test, novel),
        "person": ood.person_answer(picked, look(ood_datasets.person()[None])),
    }


if __name__ == "__main__":
    errors.run(main)
