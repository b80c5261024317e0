"""The figures of `explanation_plots` for the results of the first seed, by file name."""

import numpy as np
from matplotlib.figure import Figure

from cifar10.evaluation import ood_images
from cifar10.report import explanation_plots, results


def draw(found: results.Results) -> dict[str, Figure]:
    """Draw the saliency maps, and the nearest training images if there is a portrait."""
    each = {model.name: model.first.explanations for model in found.models}
    first = next(iter(each.values()))
    test, labels = results.pictures("test")
    portrait = ood_images.person() if len(first.person_predicted) else None
    pictures, actual = test[first.images], [int(label) for label in labels[first.images]]
    titles = [found.classes[label] for label in actual]
    if portrait is not None:
        pictures, titles = np.concatenate([pictures, portrait[None]]), [*titles, "astronaut"]
    figures = {
        "saliency.png": explanation_plots.saliency(
            pictures,
            titles,
            [*actual, *([] if portrait is None else [None])],
            {name: np.concatenate([own.maps, own.person_maps]) for name, own in each.items()},
            {name: np.concatenate([own.predicted, own.person_predicted]) for name, own in each.items()},
            found.classes,
        )
    }
    if portrait is not None:
        training, classes = results.pictures("train")
        figures["nearest.png"] = explanation_plots.nearest(
            {name: training[own.nearest[0]] for name, own in each.items()},
            {name: classes[own.nearest[0]] for name, own in each.items()},
            {name: own.similarity[0] for name, own in each.items()},
            found.classes,
        )
    return figures
