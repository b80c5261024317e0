"""The audit of all splits as the content of reports/audit.json, and in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cifar10.audit import copies, quality
from cifar10.audit.joined import Joined

SHOWN = 20  # pairs in the figure and under "pairs"
TRAIN, TEST = "train", "test"


def audit(splits: Mapping[str, tuple[np.ndarray, np.ndarray]], classes: Sequence[str]) -> dict[str, Any]:
    """Audit the pictures of all splits.

    Args:
        splits: images, uint8 (N, H, W, 3), and labels, int64 (N,), by split in the order train to test.
        classes: names, by label.

    Returns:
        images: number by split and class; copies: number of pairs by kind and splits; test_in_training: the
        test pictures with a copy among the training pictures, by position; two_labels: number of pairs
        with two labels; quality: positions by kind of fault and split; pairs: the first `SHOWN` pairs, those
        with two labels first, then those of training and test pictures.
    """
    names = [name for name, (_, labels) in splits.items() for _ in labels]
    places = [place for _, labels in splits.values() for place in range(len(labels))]
    labels = np.concatenate([labels for _, labels in splits.values()])
    pairs = copies.find(Joined([images for images, _ in splits.values()]))
    shared = [pair for pair in pairs if (names[pair.first], names[pair.second]) == (TRAIN, TEST)]
    exact = {pair.second for pair in shared if pair.kind == "equal"}
    differing = [pair for pair in pairs if labels[pair.first] != labels[pair.second]]

    def side(index: int) -> dict[str, Any]:
        return {"split": names[index], "index": places[index], "class": classes[labels[index]]}

    ranked = dict.fromkeys([*differing, *shared, *pairs])
    counted = Counter(f"{names[pair.first]}-{names[pair.second]}: {pair.kind}" for pair in pairs)
    return {
        "images": {
            name: dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))
            for name, (_, labels) in splits.items()
        },
        "copies": dict(sorted(counted.items())),
        "test_in_training": sorted({places[pair.second] for pair in shared}),
        "test_equal_to_training": len(exact),
        "two_labels": len(differing),
        "quality": {name: quality.find(images) for name, (images, _) in splits.items()},
        "pairs": [
            {"first": side(pair.first), "second": side(pair.second), "kind": pair.kind}
            for pair in [*ranked][:SHOWN]
        ],
    }


def sentences(found: Mapping[str, Any]) -> list[str]:
    """Say what the audit found, one sentence per subject."""
    test = sum(found["images"][TEST].values())
    repeated, equal = len(found["test_in_training"]), found["test_equal_to_training"]
    faults = {
        kind: sum(len(of_split[kind]) for of_split in found["quality"].values()) for kind in quality.KINDS
    }
    pairs = ", ".join(f"{name} {count:,}" for name, count in found["copies"].items())
    return [
        f"{repeated:,} of {test:,} test pictures {_are(repeated)} in the training set "
        f"({equal:,} with equal pixels, {repeated - equal:,} scaled, recompressed or mirrored).",
        f"Pairs of copies: {pairs or 'none'}.",
        f"Pairs of copies under two labels: {found['two_labels']:,}.",
        f"Pictures: {', '.join(f'{count:,} {kind}' for kind, count in faults.items())}.",
    ]


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
