"""Distances in hidden layers: the oracle is scikit-learn."""

import numpy as np
from sklearn.covariance import LedoitWolf

from cifar10.evaluation import layer_distances
from tests.evaluation.random_outputs import outputs


def test_layer_distances_against_scikit_learn():
    known, given = outputs(300).layers, outputs(40, shift=1).layers
    found = layer_distances.fit(known).distances(given, 40)
    for column, train, test in zip(found.T, known, given, strict=True):
        oracle = LedoitWolf().fit(train.astype(np.float64)).mahalanobis(test.astype(np.float64))
        np.testing.assert_allclose(np.exp(column), oracle, rtol=1e-4)


def test_the_distances_of_an_image_do_not_depend_on_the_others():
    statistics, given = layer_distances.fit(outputs(300).layers), outputs(40).layers
    whole = statistics.distances(given, 40)
    for index in (0, 7, 39):
        alone = statistics.distances([layer[index : index + 1] for layer in given], 1)
        np.testing.assert_array_equal(alone[0], whole[index])
