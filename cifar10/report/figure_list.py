"""The figures of the report, by file name; `plots` draws each of them."""

import numpy as np
from matplotlib.figure import Figure

from cifar10.evaluation import corrupted, ood_images
from cifar10.params import Params
from cifar10.report import (
    answer_plots,
    cost_plot,
    costs,
    explanation_figures,
    label_candidates,
    mistake_plots,
    mistakes,
    plot_copies,
    plot_label_candidates,
    plots,
    results,
)


def draw(found: results.Results, params: Params) -> dict[str, Figure]:
    """Draw all figures, by file name; `report.seed` selects the example images."""
    seed = params.report.seed
    train, train_labels = results.pictures("train")
    test, test_labels = results.pictures("test")
    names = found.classes
    histories = {model.name: [run.history for run in model.trainings] for model in found.models}
    figures = {
        "samples.png": plots.samples(train, train_labels, names, seed),
        "accuracy.png": plots.curves(histories, "accuracy"),
        "loss.png": plots.curves(histories, "loss"),
        "class_accuracy.png": plots.class_accuracy(results.class_accuracy(found), names),
        "reliability.png": plots.reliability(
            {model.name: model.first.probabilities for model in found.models}, test_labels
        ),
    }
    if found.audit["pairs"]:
        figures["copies.png"] = plot_copies.pairs(found.audit["pairs"], names, results.pictures)
    doubtful = label_candidates.of(found).table
    if len(doubtful):
        figures["label_candidates.png"] = plot_label_candidates.draw(doubtful, names, results.pictures)
    if any(pair.estimate for pair in found.differences):
        figures["differences.png"] = plots.differences(found.differences)
    if points := costs.points(costs.find(found, params.predict.mirror)):
        figures["costs.png"] = cost_plot.accuracy(points, [model.name for model in found.models])
    kinds = [corrupted.dataset(kind) for kind in found.models[0].detector["corrupted"]]
    scores = {model.name: model.scores[~model.scores["dataset"].isin(kinds)] for model in found.models}
    detectors = {model.name: model.detector for model in found.models}
    persons = {model.name: model.person for model in found.models if model.person}
    if found.models[0].detector["auroc"]:
        figures["ood.png"] = plots.ood_scores(scores, detectors)
    if persons and (picture := ood_images.person()) is not None:
        figures["person.png"] = answer_plots.answers(picture[None], ["astronaut"], persons, names)
    figures |= explanation_figures.draw(found)
    figures |= mistake_plots.draw(mistakes.find(found), test, names)
    picked = np.random.default_rng(seed).permutation(len(test))[: plots.SHOWN]
    for model in found.models:
        counts, first = results.total_confusion(found, model), model.first
        figures[f"confusion_{model.name}.png"] = plots.confusion(counts, names, model.name)
        confidence = first.probabilities.max(axis=1)[picked]
        figures[f"predictions_{model.name}.png"] = plots.predictions(
            test[picked], test_labels[picked], first.predicted[picked], confidence, names, model.name
        )
    return figures
