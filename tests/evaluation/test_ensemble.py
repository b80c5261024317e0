"""The answer of the ensemble of a model's trainings."""

import numpy as np

from cifar10.evaluation import ensemble


def test_each_training_counts_the_same() -> None:
    trainings = [np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]]), np.eye(2)]
    expected = [[2 / 3, 1 / 3], [1 / 3, 2 / 3]]
    np.testing.assert_allclose(ensemble.mean_probabilities(trainings), expected)


def test_one_training_keeps_its_bits() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    assert ensemble.mean_probabilities([probabilities]).tobytes() == probabilities.tobytes()
