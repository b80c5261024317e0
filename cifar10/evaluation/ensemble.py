"""The ensemble of a model's trainings, one per seed."""

from collections.abc import Sequence

import numpy as np


def mean_probabilities(trainings: Sequence[np.ndarray]) -> np.ndarray:
    """Average the probabilities of the trainings, float64 (N, K).

    The mean of probabilities is the usual answer of a deep ensemble (Lakshminarayanan et al., NeurIPS 2017).

    Args:
        trainings: float (N, K) of each training, rows sum to 1.
    """
    return np.asarray(np.mean(trainings, axis=0, dtype=np.float64))
