"""The audit of the pictures in the words of the report, and the accuracy without repeated test pictures."""

from typing import Any

import numpy as np

from cifar10.report import label_candidates, plot_label_candidates
from cifar10.report.results import Model, Results


def audit(found: Results) -> dict[str, Any]:
    """Return what the templates show of the audit.

    Returns:
        leak: a sentence on the test pictures in the training set; of: by model, its accuracy without them;
        without: these sentences; found: one sentence per subject; images: number by split and class; shown,
        pairs: number of pairs in the figure, and of all; labels: a sentence on the label candidates;
        labels_shown: number of them in
        the figure. `of` is empty if there are no such pictures, or
        if they are all the test pictures.
    """
    content = found.audit
    repeated, test = content["test_in_training"], len(found.actual)
    leak = (
        f"{len(repeated):,} of {test:,} test pictures {_are(len(repeated))} in the training set, "
        "as copies or near-copies."
    )
    known = 0 < len(repeated) < test
    kept = np.setdiff1d(np.arange(test), repeated)
    of = {model.name: _without(model, kept) for model in found.models} if known else {}
    copies = ", ".join(f"{name} {count:,}" for name, count in content["copies"].items())
    labels = label_candidates.of(found)
    doubted = label_candidates.sentence(labels)
    faults: dict[str, int] = {}
    for kinds in content["quality"].values():
        for kind, positions in kinds.items():
            faults[kind] = faults.get(kind, 0) + len(positions)
    return {
        "leak": leak,
        "of": of,
        "without": [f"{name}: {text}" for name, text in of.items()],
        "found": [
            leak,
            f"Pairs of copies, by splits and kind: {copies or 'none'}.",
            f"Pairs of copies under two labels: {content['two_labels']:,}.",
            doubted,
            f"Pictures: {', '.join(f'{count:,} {kind}' for kind, count in faults.items())}.",
        ],
        "images": content["images"],
        "shown": len(content["pairs"]),
        "pairs": sum(content["copies"].values()),
        "labels": doubted,
        "labels_shown": min(len(labels.table), plot_label_candidates.SHOWN),
    }


def _without(model: Model, kept: np.ndarray) -> str:
    """Compare the mean test accuracy with that of the kept test pictures."""
    accuracy, without = model.correct.mean(), model.correct[:, kept].mean()
    return f"accuracy {100 * accuracy:.2f} %, without them {100 * without:.2f} %."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
