"""Variance of an accuracy, and of a difference of two, over trainings and test images.

`correct[..., s, i]` tells whether training s (of S) classifies test image i (of N) correctly. Trainings and
images are both random and crossed, and all models share the images: the multi-reader multi-case design of
diagnostic imaging, with trainings as readers (Obuchowski and Rockette, Commun. Stat. Simul. 24, 1995; Gallas,
Pennello, Myers, J. Opt. Soc. Am. A 24, 2007; in machine learning: Bouthillier et al., MLSys 2021).

All functions accept leading dimensions: a simulation runs the same code on many experiments at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Components:
    """Estimates for one model, each of shape (...,) unless stated; accuracies are 0 to 1.

    Attributes:
        accuracies: (..., S), accuracy a_s of each training.
        residuals: (..., G), mean_s(c_si) minus the mean accuracy, summed over each of G groups; without
            groups, each image is a group and G = N.
        seeds: var_s(a), the variance over trainings (ddof 1) on these test images; nan for S = 1.
        noise: mean_i var_s(c_si) / N, the part of `seeds` from the finite test set; nan for S = 1.
        total: N.
    """

    accuracies: Array
    residuals: Array
    seeds: Array
    noise: Array
    total: int

    @classmethod
    def of(cls, correct: Array, groups: Array | None = None) -> Self:
        """Estimate from bool (..., S, N) and, for images in groups, integers (N,)."""
        trainings, total = correct.shape[-2:]
        by_image = correct.mean(axis=-2)
        accuracies = correct.mean(axis=-1)
        residuals = grouped(by_image - by_image.mean(axis=-1, keepdims=True), groups)
        if trainings == 1:
            unknown = np.full(accuracies.shape[:-1], np.nan)
            return cls(accuracies, residuals, unknown, unknown, total)
        if groups is None:  # the variance (ddof 1) of zeros and ones, from their mean
            within = (by_image * (1 - by_image)).sum(axis=-1) * trainings / (trainings - 1)
        else:
            within = grouped(correct, groups).var(axis=-2, ddof=1).sum(axis=-1)
        return cls(accuracies, residuals, accuracies.var(axis=-1, ddof=1), within / total**2, total)

    @property
    def trainings(self) -> int:
        """Number of trainings, S."""
        return int(self.accuracies.shape[-1])

    @property
    def cases(self) -> int:
        """Number of groups, or of images without groups, G."""
        return int(self.residuals.shape[-1])

    @property
    def mean(self) -> Array:
        """Mean accuracy over trainings."""
        return np.asarray(self.accuracies.mean(axis=-1))

    @property
    def images(self) -> Array:
        """Variance of the mean accuracy over test images, var_i(mean_s c_si) / N (ddof 1)."""
        return covariance(self.residuals, self.residuals, self.total)

    @property
    def training_variance(self) -> Array:
        """Variance over trainings without the finite test set, max(0, var_s(a) - mean_i var_s(c) / N).

        Derivation: E var_s(a) = sum_ij E cov_s(c_i, c_j) / N^2; two independent images have the expected
        covariance var(p), the variance over trainings of the accuracy p on all images, and each image has
        E var_s(c_i): E var_s(a) = E mean_i var_s(c_i) / N + (1 - 1 / N) var(p), where the factor is left out
        (Jordan, ICLR 2024, arXiv 2304.01910). The sums of c over groups take the place of c.
        """
        return np.maximum(0, self.seeds - self.noise)


def grouped(values: Array, groups: Array | None) -> Array:
    """Sum values (..., N) over the images of each group: (..., G); without groups, return `values`."""
    if groups is None:
        return values
    order = np.argsort(groups, kind="stable")
    starts = np.unique(groups[order], return_index=True)[1]
    return np.asarray(np.add.reduceat(values[..., order].astype(np.float64), starts, axis=-1))


def covariance(first: Array, second: Array, total: int) -> Array:
    """Covariance of two means over the same images from residuals r: G / (G - 1) sum_g r_g r'_g / N^2."""
    cases = first.shape[-1]
    return np.asarray((first * second).sum(axis=-1) * cases / (cases - 1) / total**2)


def degrees_of_freedom(parts: Sequence[Array], counts: Sequence[int]) -> Array:
    """Degrees of freedom of a sum of variances, v^2 / sum_k(v_k^2 / f_k) (Satterthwaite, Biometrics 2, 1946).

    Args:
        parts: the variances v_k, each of shape (...,).
        counts: their degrees of freedom f_k.

    Returns:
        Values from min(f) to sum(f); max(f) where all parts are 0.
    """
    weighted = np.asarray(sum(part**2 / count for part, count in zip(parts, counts, strict=True)))
    divisor = np.where(weighted > 0, weighted, 1)
    return np.where(weighted > 0, np.asarray(sum(parts)) ** 2 / divisor, max(counts))


def checked(correct: Mapping[str, Array], groups: Array | None = None) -> dict[str, Components]:
    """Check the input and estimate the components of every model.

    Args:
        correct: by model, bool (S, N); S may differ between models, N may not.
        groups: int (N,), the group of each image, such as its film; None if images are independent.

    Raises:
        ValueError: wrong shape or type, or fewer than two images or groups.
    """
    if not correct:
        raise ValueError("expected at least one model, found none")
    images = next(iter(correct.values())).shape[-1:]
    for model, hits in correct.items():
        if hits.dtype != np.bool_ or hits.ndim != 2 or not hits.size or hits.shape[1:] != images:
            shape = f"(trainings, {images[0] if images else 'images'})"
            raise ValueError(f"{model}: expected bool {shape}, found {hits.dtype} {hits.shape}")
    if groups is not None and groups.shape != images:
        raise ValueError(f"expected a group for each of {images[0]} images, found shape {groups.shape}")
    cases = images[0] if groups is None else len(np.unique(groups))
    if cases < 2:
        raise ValueError(f"expected at least 2 independent images or groups, found {cases}")
    return {model: Components.of(hits, groups) for model, hits in correct.items()}
