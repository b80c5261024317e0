"""Labels are swapped as often as the benchmark says, and candidates are measured against them by hand."""

import numpy as np
import pytest

from benchmarks import label_candidates


def test_three_percent_of_the_labels_get_another_class():
    labels = np.arange(1000) % 4
    given, swapped = label_candidates.swap(labels, 4, seed=0)
    assert swapped.sum() == 30
    assert np.array_equal(given != labels, swapped)
    assert set(given[swapped]) == {0, 1, 2, 3}


def test_candidates_are_measured_against_the_swapped_labels():
    given = np.array([1, 0, 1, 1, 1, 0, 0, 0])
    probabilities = np.array([[0.9, 0.1]] * 2 + [[0.1, 0.9]] * 3 + [[0.9, 0.1]] * 3)
    swapped = np.array([True] + 6 * [False] + [True])  # the last one looks like its new class
    assert label_candidates.measure(given, swapped, probabilities) == {
        "swapped": 2,
        "candidates": 1,
        "precision": 1.0,
        "recall": 0.5,
        "of_the_drawn": 1.0,
        "average_precision": pytest.approx(0.5 + 0.5 * 2 / 8),
    }


def test_several_draws_are_averaged():
    assert label_candidates.averaged([{"recall": 0.5}, {"recall": 1.0}]) == {"recall": 0.75}
