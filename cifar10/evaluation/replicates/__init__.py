"""Accuracy and comparison of models that are trained several times and tested on the same images.

    models = {"a": bool (S_a, N), "b": bool (S_b, N)}   # training by image: correct or not
    accuracies(models)["a"]       # mean, spread over trainings, 95 % interval
    differences(models)           # a `Difference` for every two models
    matched([models, others])     # a `Difference` for each pair of models, over all pairs together
    headline(models), sentences(differences(models)[0])

`components` estimates the variances, `intervals` has quantiles and limits, `power` the number of trainings.
"""

from cifar10.evaluation.replicates.accuracy import Accuracy, accuracies
from cifar10.evaluation.replicates.difference import Difference, Estimate, Outcome
from cifar10.evaluation.replicates.pairwise import differences, matched
from cifar10.evaluation.replicates.power import Design
from cifar10.evaluation.replicates.wording import headline, sentences

__all__ = [
    "Accuracy",
    "Design",
    "Difference",
    "Estimate",
    "Outcome",
    "accuracies",
    "differences",
    "headline",
    "matched",
    "sentences",
]
