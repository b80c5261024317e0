"""Draw validation images, or test images, from the images that are not yet split."""

import numpy as np
from sklearn.model_selection import train_test_split

from cifar10.errors import UserError


def split(
    labels: np.ndarray,
    fraction: float,
    seed: int,
    groups: np.ndarray | None = None,
    name: str = "validation",
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a fraction of the images for another split, stratified by class.

    Args:
        labels: int (N,), labels of the images.
        fraction: from 0 (no image) to below 1.
        seed: seed of the draw.
        groups: int (N,); images of a group stay together, so the fraction is only approximate. None: all
            images are drawn alone.
        name: of the other split, for errors: `validation` or `test`.

    Returns:
        Indices into `labels` of the images that stay, and of those that are drawn, both ascending.

    Raises:
        UserError: a class is too small, or has too few groups, for both splits.
    """
    everything = np.arange(len(labels))
    if fraction == 0:
        return everything, everything[:0]
    if groups is not None:
        drawn = _draw_groups(labels, fraction, seed, groups)
        train, other = np.flatnonzero(~drawn), np.flatnonzero(drawn)
    else:
        try:
            parts = train_test_split(everything, test_size=fraction, stratify=labels, random_state=seed)
            train, other = (np.sort(part) for part in parts)
        except ValueError:  # its message names scikit-learn's arguments
            raise _too_few(labels, fraction, name) from None
    if not all(np.array_equal(np.unique(labels[part]), np.unique(labels)) for part in (train, other)):
        if groups is not None:
            raise _too_few_groups(labels, groups, name)
        raise _too_few(labels, fraction, name)
    return train, other


def _draw_groups(labels: np.ndarray, fraction: float, seed: int, groups: np.ndarray) -> np.ndarray:
    """Choose groups whose images have about a fraction of each class, bool (N,).

    Groups are tried in a random order, the large ones first; a group is chosen if no class gets more images
    than the fraction. The other groups are tried again; one is chosen if that brings the numbers closer to
    the fraction. Then each class without an image gets its smallest group that leaves images of all classes.
    """
    classes, places = np.unique(labels, return_inverse=True)
    _, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((members.max() + 1, len(classes)), np.int64)  # images by group and class
    np.add.at(counts, (members, places), 1)
    total = counts.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    chosen, missing = np.zeros(len(counts), bool), total * fraction
    for within in (True, False):
        for group in order[~chosen[order]]:
            after = missing - counts[group]
            if (after >= 0).all() if within else np.square(after).sum() < np.square(missing).sum():
                chosen[group], missing = True, after
    for label in range(len(classes)):
        if not counts[chosen, label].any():
            fit = [
                group
                for group in order[::-1]
                if counts[group, label] and (counts[chosen].sum(axis=0) + counts[group] < total).all()
            ]
            chosen[fit[:1]] = True
    return chosen[members]


def _too_few(labels: np.ndarray, fraction: float, name: str) -> UserError:
    fewest = np.unique(labels, return_counts=True)[1].min()
    zero = ", or set it to 0" if name == "validation" else ""
    return UserError(
        f"data.{name}_fraction: {fraction:g} leaves a class without training or {name} images, "
        f"the smallest has {fewest}: add images, or choose a fraction nearer to 0.5{zero}"
    )


def _too_few_groups(labels: np.ndarray, groups: np.ndarray, name: str) -> UserError:
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    zero = ", or set data.validation_fraction to 0" if name == "validation" else ""
    return UserError(
        f"data.groups: leaves a class without training or {name} images, a class has {fewest} "
        f"group{'s' * (fewest != 1)}: use smaller groups{zero}"
    )
