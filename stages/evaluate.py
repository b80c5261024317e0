"""Measure one trained model on the test images and on images of no class; write what the report needs."""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not
from cifar10 import dataset, errors, files, metrics, nonclass, novelty, params, paths, progress, startup
from cifar10.outputs import Outputs
from cifar10.versions import check_versions


def main() -> None:
    """Read the model and the images, predict, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    name = parser.parse_args().model
    chosen = params.load()
    entry = chosen.model(name)
    test, class_names = dataset.load("test"), dataset.class_names()
    check_versions()

    with startup.tensorflow():
        from cifar10 import features, models  # here, since it takes seconds and a typo should not

        models.configure(seed=0)  # nothing is drawn; one thread, for the same bits
    model = models.build(name, entry, len(class_names))
    models.load_weights(model, paths.model(name))
    look = features.looker(model)
    outputs = look(test.images)
    figures = {
        "test": metrics.summary(outputs.probabilities, test.labels, class_names),
        **metrics.last_epoch(paths.history(name)),
        "model": models.facts(model, paths.model(name)),
    }
    predictions = metrics.predictions(outputs.probabilities, test.labels, class_names)
    files.write_text(paths.predictions(name), predictions.to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.architecture(name), models.architecture(model))
    files.write_json(paths.metrics(name), figures)
    files.write_json(paths.novelty_metrics(name), find_novelty(name, look, outputs, chosen.data.source))
    progress.log(f"{name}: test accuracy {figures['test']['accuracy']:.4f}, written to {paths.metrics(name)}")


def find_novelty(name: str, look: novelty.Look, test: Outputs, source: str) -> dict[str, Any]:
    """Calibrate the answer `none of these`, write it beside the model, return how good it is."""
    training = dataset.load("train")
    validation, calibrated_on = novelty.calibration(training, dataset.load("validation"))
    proxies = nonclass.proxies(validation.images, validation.labels)
    detectors, choice = novelty.fit(look, training, validation, proxies, dataset.class_names())
    picked = detectors[choice["score"]]
    novel = {kind: look(images) for kind, images in nonclass.real(source).items()}
    novelty.save(picked, paths.novelty(name))
    scores = novelty.table(picked, {"test": test, **novel})
    files.write_text(paths.novelty_scores(name), scores.to_csv(index=False, lineterminator="\n"))
    return {
        **choice,
        "calibrated_on": calibrated_on,
        "scores": novelty.measure(detectors, test, novel),
        "person": novelty.answer(picked, look(nonclass.person()[None])),
    }


if __name__ == "__main__":
    errors.run(main)
