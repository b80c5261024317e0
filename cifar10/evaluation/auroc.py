"""AUROC and its confidence interval, also for crops of a few pictures.

The variance is that of DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; for crops, which are similar
if they come from one picture, its form for clusters: Obuchowski, Biometrics 53, 1997. The interval is
symmetric on the logit scale, and uses Student's t, because the pictures can be few.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit, stdtrit
from sklearn.metrics import roc_auc_score

from cifar10.evaluation.accuracy_interval import CONFIDENCE

TAIL = (1 - CONFIDENCE) / 2  # probability on each side of an interval


def area(id_images: np.ndarray, ood_images: np.ndarray) -> float:
    """Compute the area under the ROC curve: the probability that an ID image scores above an OOD image."""
    labels = np.r_[np.ones(len(id_images)), np.zeros(len(ood_images))]
    return float(roc_auc_score(labels, np.r_[id_images, ood_images]))


def interval(
    id_scores: np.ndarray, ood_scores: np.ndarray, crops: Sequence[int] | None = None
) -> tuple[float, float] | None:
    """Compute the 95 % interval of the AUROC over other ID images and other source pictures.

    Args:
        id_scores: (N,), of independent images.
        ood_scores: (M,), of OOD images.
        crops: number of OOD images of each source picture, in their order; None for one of each.

    Returns:
        Lower and upper limit, 0 to 1. None if there are fewer than two ID images or source pictures, which
        show no spread.

    Raises:
        ValueError: the numbers in `crops` do not add up to M.
    """
    sizes = np.ones(len(ood_scores), int) if crops is None else np.asarray(crops)
    if sizes.sum() != len(ood_scores):
        raise ValueError(f"expected {sizes.sum()} OOD images, got {len(ood_scores)}")
    pictures, independent = len(sizes), min(len(sizes), len(id_scores))
    if independent < 2:
        return None
    above, below = _share_below(id_scores, ood_scores), 1 - _share_below(ood_scores, id_scores)
    area = float(below.mean())
    if area in (0, 1):  # n pictures give 1 with a probability of at most the n-th power of the true area
        limit = TAIL ** (1 / independent)
        return (limit, 1.0) if area else (0.0, 1 - limit)
    sums = np.add.reduceat(below - area, np.cumsum(sizes) - sizes)  # of each picture
    parts = np.array(
        [
            above.var(ddof=1) / len(above),
            pictures / (pictures - 1) * np.square(sums).sum() / len(below) ** 2,
        ]
    )
    error = np.sqrt(parts.sum())
    if not error:
        return area, area
    freedom = parts.sum() ** 2 / (np.square(parts) / [len(above) - 1, pictures - 1]).sum()  # Satterthwaite
    reach = stdtrit(freedom, 1 - TAIL) * error / (area * (1 - area))
    low, high = expit(logit(area) + np.array([-reach, reach]))
    return float(low), float(high)


def _share_below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the share of the others that are below each score, equal ones counted half, float64 (N,)."""
    ascending = np.sort(others)
    below, up_to = (np.searchsorted(ascending, scores, side) for side in ("left", "right"))
    return (below + up_to) / (2 * len(others))
