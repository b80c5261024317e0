"""Evaluate one trained model on test images and OOD datasets; write its metrics and predictions."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import files, paths, progress, stage_arguments, stage_names, stage_process
from cifar10.data import dataset
from cifar10.evaluation import detector, metrics, ood, ood_images, temperature
from cifar10.training import tensorflow_setup, versions


def main() -> None:
    """Load the model and the images, predict, and write the results."""
    chosen, name, seed = stage_arguments.parse(__doc__)
    test, class_names = dataset.load("test"), dataset.class_names()
    versions.check_versions()

    with tensorflow_setup.tensorflow():
        from cifar10.evaluation import features, trained_models  # takes seconds
        from cifar10.training import models

        models.make_deterministic(seed=0)  # one thread; the results do not depend on the seed
    model = models.build(name, chosen.models[name], len(class_names))
    trained_models.load_weights(model, paths.model(name, seed))
    extract = features.feature_extractor(model, name in chosen.predict.mirror)
    outputs = extract(test.images)
    validation = measure_ood(name, seed, extract, outputs, features.described_layers(model))
    measured = {
        "test": metrics.summary(outputs.probabilities, test.labels, class_names),
        **temperature.measured([validation], outputs.probabilities, test.labels),
        **metrics.kept_epoch(paths.history(name, seed)),
        "model": trained_models.facts(model, paths.model(name, seed)),
    }
    asked = temperature.Validation(test.labels, outputs.probabilities)
    for path, (labels, found) in {paths.predictions: asked, paths.validation_predictions: validation}.items():
        table = metrics.predictions(found, labels, class_names)
        files.write_text(path(name, seed), table.to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.architecture(name, seed), trained_models.architecture(model))
    files.write_json(paths.evaluation(name, seed), measured)
    label, accuracy = stage_names.label(name, seed), measured["test"]["accuracy"]
    progress.log(f"{label}: test accuracy {accuracy:.4f}, written to {paths.evaluation(name, seed)}")


def measure_ood(
    name: str, seed: int, extract: ood.FeatureExtractor, test: "ood.Outputs", layers: list[str]
) -> temperature.Validation:
    """Fit the OOD detector, write it beside the model, and its metrics; return the validation predictions."""
    training = dataset.load("train")
    validation, threshold_data = ood.threshold_images(training, dataset.load("validation"))
    pseudo_ood = ood_images.pseudo_ood(validation.images, validation.labels)
    fitted = ood.fit(extract, training, validation, pseudo_ood, dataset.class_names())
    outputs = {kind: extract(images) for kind, images in ood_images.load().items()}
    person, measured = ood_images.person(), ood.measure(fitted, test, outputs)
    chosen = ood.finished(fitted.detector, measured, threshold_data)
    detector.save(chosen, paths.ood_detector(name, seed))
    scores = ood.table(chosen, {"test": test, **outputs})
    files.write_text(paths.ood_scores(name, seed), scores.to_csv(index=False, lineterminator="\n"))
    content = {
        "score": "combined",
        "parts": [*chosen.parts],
        "auroc": chosen.auroc,
        "pseudo_ood": fitted.pseudo_ood,
        "threshold_data": threshold_data,
        "scores": measured,
        "layers": layers,
        "person": None if person is None else ood.person_answer(chosen, extract(person[None])),
    }
    files.write_json(paths.ood_metrics(name, seed), content)
    return chosen.validation


if __name__ == "__main__":
    stage_process.run(main)
