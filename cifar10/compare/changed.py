"""What differs in a model that both sides have: nothing, only its seeds, or the model."""

from enum import Enum

from cifar10.compare.revision_results import RevisionResults


class Kind(Enum):
    """Difference of a model between two sides."""

    SAME = "the same predictions with the same seeds"
    SEEDS = "only the seeds differ"
    CHANGED = "another model"


def kept(before: RevisionResults, after: RevisionResults) -> list[str]:
    """List the models that both sides have, in the order of `after`."""
    return [name for name in after.models if name in before.models]


def common_seeds(before: RevisionResults, after: RevisionResults) -> list[int]:
    """List the seeds that both sides have, in the order of `after`."""
    return [seed for seed in after.seeds if seed in before.seeds]


def kind(before: RevisionResults, after: RevisionResults, name: str) -> Kind:
    """Tell what differs in a model, from dvc.lock.

    Only the seeds differ if the .h5 files and predictions of all common seeds are the same or, without a
    common seed, the inputs of the trainings (code, data, parameters) and the test images.
    """
    common = common_seeds(before, after)
    same = all(
        _equal(before.predictions_hash(name, seed), after.predictions_hash(name, seed)) for seed in common
    )
    if set(before.seeds) == set(after.seeds):
        return Kind.SAME if same and common else Kind.CHANGED
    if common:
        trained = (_equal(before.model_hash(name, seed), after.model_hash(name, seed)) for seed in common)
        return Kind.SEEDS if same and all(trained) else Kind.CHANGED
    tested = {side.test_images_hash(name, seed) for side in (before, after) for seed in side.seeds}
    recipe = before.recipe(name)
    repeated = recipe is not None and recipe == after.recipe(name) and len(tested) == 1
    return Kind.SEEDS if repeated else Kind.CHANGED


def other_images(before: RevisionResults, after: RevisionResults, name: str) -> bool:
    """Whether dvc.lock records different test images for the evaluations of a model."""
    found = {side.test_images_hash(name, seed) for side in (before, after) for seed in side.seeds}
    return len(found - {None}) > 1


def needed_seeds(before: RevisionResults, after: RevisionResults, name: str) -> tuple[list[int], list[int]]:
    """Return the seeds of both sides whose predictions the comparison of a model needs.

    All seeds; with one training on a side, one of each: the first common seed, or the first seed of each.
    None for a model without a comparison.
    """
    measured = all(name in side.metrics and side.seeds for side in (before, after))
    if not measured or kind(before, after, name) is not Kind.CHANGED or other_images(before, after, name):
        return [], []
    if min(len(before.seeds), len(after.seeds)) != 1:
        return before.seeds, after.seeds
    common = common_seeds(before, after)[:1]
    return common or before.seeds[:1], common or after.seeds[:1]


def _equal(first: str | None, second: str | None) -> bool:
    return first is not None and first == second
