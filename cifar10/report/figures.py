"""All figures of the report."""

import numpy as np
from matplotlib.figure import Figure

from cifar10.evaluation import ood_datasets
from cifar10.report import plots, results


def draw(found: results.Results, seed: int) -> dict[str, Figure]:
    """Draw every figure, by file name; `seed` picks the images that are shown."""
    train, train_labels = results.pictures("train")
    test, test_labels = results.pictures("test")
    names = found.classes
    histories = {model.name: model.history for model in found.models}
    figures = {
        "samples.png": plots.samples(train, train_labels, names, seed),
        "accuracy.png": plots.curves(histories, "accuracy"),
        "loss.png": plots.curves(histories, "loss"),
        "class_accuracy.png": plots.class_accuracy(results.class_accuracy(found), names),
        "reliability.png": plots.reliability(
            {model.name: model.probabilities for model in found.models}, test_labels
        ),
    }
    facts = ("scores", "rejection", "person")
    scores, rejection, persons = ({m.name: getattr(m, fact) for m in found.models} for fact in facts)
    figures["ood.png"] = plots.ood_scores(scores, rejection)
    figures["person.png"] = plots.answers(ood_datasets.person()[None], ["astronaut"], persons, names)
    picked = np.random.default_rng(seed).permutation(len(test))[: plots.SHOWN]
    for model in found.models:
        counts = results.confusion(found.actual, model.predicted, len(names))
        figures[f"confusion_{model.name}.png"] = plots.confusion(counts, names, model.name)
        confidence = model.probabilities.max(axis=1)[picked]
        figures[f"predictions_{model.name}.png"] = plots.predictions(
            test[picked], test_labels[picked], model.predicted[picked], confidence, names, model.name
        )
    return figures
