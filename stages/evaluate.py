"""Evaluate one trained model on test images and OOD datasets; write its metrics and predictions."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import files, paths, progress, stage_arguments, stage_names, stage_process
from cifar10.data import dataset
from cifar10.evaluation import detector, explanations, metrics, ood_results, temperature
from cifar10.training import tensorflow_setup, versions


def main() -> None:
    """Load the model and the images, predict, and write the results."""
    chosen, name, seed = stage_arguments.parse(__doc__)
    test, class_names = dataset.load("test"), dataset.class_names()
    versions.check_versions()

    with tensorflow_setup.tensorflow():
        from cifar10.evaluation import features, gradcam, trained_models  # takes seconds
        from cifar10.training import models

        models.make_deterministic(seed=0)  # one thread; the results do not depend on the seed
    model = models.build(name, chosen.models[name], len(class_names), test.images.shape[1:])
    trained_models.load_weights(model, paths.model(name, seed))
    plain = features.feature_extractor(model)
    extract = features.mirrored(plain) if name in chosen.predict.mirror else plain
    outputs = extract(test.images)
    found = ood_results.measure(extract, outputs, features.described_layers(model), plain)
    validation = write_ood(name, seed, found)
    measured = {
        "test": metrics.summary(outputs.probabilities, test.labels, class_names),
        **temperature.measured([validation], outputs.probabilities, test.labels),
        **metrics.kept_epoch(paths.history(name, seed)),
        "model": trained_models.facts(model, paths.model(name, seed)),
    }
    metrics.write_predictions(paths.predictions(name, seed), test.labels, outputs.probabilities, class_names)
    metrics.write_predictions(paths.validation_predictions(name, seed), *validation, class_names)
    explainer = gradcam.explainer(model, name in chosen.predict.mirror)
    explanations.write(explainer, extract, paths.explanations(name, seed))
    files.write_json(paths.architecture(name, seed), trained_models.architecture(model))
    files.write_json(paths.evaluation(name, seed), measured)
    label, accuracy = stage_names.label(name, seed), measured["test"]["accuracy"]
    progress.log(f"{label}: test accuracy {accuracy:.4f}, written to {paths.evaluation(name, seed)}")


def write_ood(name: str, seed: int, found: ood_results.OODResults) -> temperature.Validation:
    """Write the OOD detector beside the model, and its metrics; return the validation predictions."""
    detector.save(found.detector, paths.ood_detector(name, seed))
    table = found.scores.to_csv(index=False, lineterminator="\n")
    files.write_text(paths.ood_scores(name, seed), table)
    files.write_json(paths.ood_metrics(name, seed), found.metrics)
    return found.detector.validation


if __name__ == "__main__":
    stage_process.run(main)
