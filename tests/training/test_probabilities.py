"""Probabilities and their loss against calculations by hand."""

import numpy as np
import pytest

from cifar10.training import probabilities


def test_normalize_divides_by_the_sum_and_survives_a_row_of_zeros():
    scores = np.array([[0.5, 0.25, 0.25, 1.0], [0, 0, 0, 0]], np.float32)
    assert probabilities.normalize(scores) == pytest.approx(np.array([[0.25, 0.125, 0.125, 0.5], [0.25] * 4]))


def test_cross_entropy_clips_where_keras_clips():
    assert probabilities.cross_entropy(np.array([[0.0, 1.0]]), np.array([0])) == pytest.approx(-np.log(1e-7))
