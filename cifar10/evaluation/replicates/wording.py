"""Comparisons in plain words."""

from collections.abc import Mapping, Sequence

from cifar10.evaluation.replicates.accuracy import Accuracy, accuracies
from cifar10.evaluation.replicates.components import Array
from cifar10.evaluation.replicates.difference import MARGIN, Difference, Estimate, Outcome
from cifar10.evaluation.replicates.pairwise import EQUAL, differences
from cifar10.evaluation.significance import listed, p_text

HEADLINES = {
    Outcome.BETTER: "{start} is better than {names}.",
    Outcome.PERHAPS: "{start} is better than {names}, perhaps by less than matters.",
    Outcome.EQUAL: "For practical purposes, {it} is as good as {names}.",
    Outcome.UNDECIDED: "The comparison with {names} is not decided.",
    Outcome.UNKNOWN: "There is no verdict about {both}: one training does not show the spread.",
}


def headline(correct: Mapping[str, Array], groups: Array | None = None) -> str:
    """Name the model with the highest mean accuracy and how it compares with each other model.

    If several models have the highest one, the others are compared with the first of them. Arguments and
    errors as for `components.checked`.
    """
    found = accuracies(correct, groups)
    highest = max(one.mean for one in found.values())
    leaders = [model for model, one in found.items() if highest - one.mean < EQUAL]
    best = leaders[0]
    others: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    for pair in differences(correct, groups):
        if best in (pair.first, pair.second):
            others[pair.outcome].append(pair.second if pair.first == best else pair.first)
    it, start = ("it", "It") if len(leaders) == 1 else (best, best)
    told = [
        HEADLINES[outcome].format(names=listed(names), both=listed([it, *names]), it=it, start=start)
        for outcome, names in others.items()
        if names
    ]
    return " ".join([_highest(leaders, found), *told])


def _highest(leaders: Sequence[str], found: Mapping[str, Accuracy]) -> str:
    text = found[leaders[0]].text
    if len(found) == 1:
        return f"{leaders[0]} is the only model; its test accuracy is {text}."
    if len(leaders) > 1:
        return f"{listed(leaders)} have the highest mean test accuracy, {100 * found[leaders[0]].mean:.2f} %."
    return f"{leaders[0]} has the highest mean test accuracy: {text}."


def sentences(pair: Difference) -> str:
    """Tell what is known about two models: the outcome, the numbers, and what would decide."""
    if pair.estimate is None:
        return f"{_unknown(pair)} {_files(pair)}"
    told = [_outcome(pair), _numbers(pair, pair.estimate)]
    if pair.outcome is Outcome.UNDECIDED:
        told.append(_to_decide(pair))
    return " ".join(told)


def _outcome(pair: Difference) -> str:
    first, second, margin = pair.first, pair.second, f"{100 * MARGIN:g} points"
    return {
        Outcome.BETTER: f"{first} is better than {second}.",
        Outcome.PERHAPS: f"{first} is better than {second}, perhaps by less than matters ({margin}).",
        Outcome.EQUAL: f"{first} is as good as {second} for practical purposes (within {margin}).",
        Outcome.UNDECIDED: f"Not decided: whether {first} or {second} is better.",
    }[pair.outcome]


def _numbers(pair: Difference, estimate: Estimate) -> str:
    times = f"{pair.trainings[0]} times each"
    if pair.trainings[0] != pair.trainings[1]:
        times = f"{pair.trainings[0]} times ({pair.first}) and {pair.trainings[1]} times ({pair.second})"
    sure = "95 % sure for all comparisons together" if estimate.pairs > 1 else "95 % sure"
    sign = f"; below 0, {pair.second} leads" if estimate.low < 0 else ""
    return (
        f"Trained {times} and tested on the same {pair.images:,} pictures, {pair.first} is right on "
        f"{100 * pair.lead:.2f} more pictures in 100 than {pair.second}; allowing for luck in the training "
        f"and in the choice of pictures, the true lead is between {100 * estimate.low:.2f} and "
        f"{100 * estimate.high:.2f} ({sure}{sign}). {pair.first} has the higher accuracy in {pair.won} of "
        f"{pair.trainings[0] * pair.trainings[1]} pairs of trainings."
    )


def _to_decide(pair: Difference) -> str:
    needed = pair.trainings_to_decide
    if needed is None:
        return f"More trainings would not decide: the test set of {pair.images:,} pictures is too small."
    return f"If this lead is the true one, about {needed:,} trainings of each would decide (80 % power)."


def _unknown(pair: Difference) -> str:
    counts = zip((pair.first, pair.second), pair.trainings, strict=True)
    once = [name for name, count in counts if count == 1]
    verb = "were each" if len(once) > 1 else "was"
    return (
        f"No verdict about the models: {listed(once)} {verb} trained once, so that the spread over seeds is "
        "unknown."
    )


def _files(pair: Difference) -> str:
    files = pair.files
    return (
        f"These two files only: the first training of {files.better} is right on {100 * files.lead:.2f} more "
        f"pictures in 100 than that of {files.worse} (exact McNemar test, p {p_text(files.corrected)}); "
        "another training of either can reverse this."
    )
