"""Explanations of test images and of the portrait, and the portrait's nearest training images."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from cifar10.evaluation import explanations, nearest

RANDOM = np.random.default_rng(6)
TEST, TRAINING = (RANDOM.integers(0, 256, (count, 32, 32, 3), np.uint8) for count in (20, 1200))
PORTRAIT = RANDOM.integers(0, 256, (32, 32, 3), np.uint8)


def extract(images):
    features = images[:, :5, :5].reshape(len(images), 75).astype(np.float32)
    return SimpleNamespace(features=features, probabilities=images[:, 0, :3, 0] / 255)


def explain(images, labels):
    return (images[:, :2, :2, 0] // 2 + labels[:, None, None]).astype(np.uint8)


def test_the_nearest_are_those_of_scikit_learn():
    features, others = (
        RANDOM.normal(size=(4, 9)).astype(np.float32),
        RANDOM.normal(size=(300, 9)).astype(np.float32),
    )
    search = NearestNeighbors(n_neighbors=nearest.NEAREST, metric="cosine").fit(others)
    distances, expected = search.kneighbors(features)
    for own, rows, distance in zip(features, expected, distances, strict=True):
        found, similarity = nearest.nearest(own, others)
        np.testing.assert_array_equal(found, rows)
        np.testing.assert_allclose(similarity, 1 - distance, atol=1e-4)


def test_features_of_zeros_are_similar_to_nothing():
    others = np.array([[0, 0], [1, 1], [-1, -1]], np.float32)
    assert nearest.nearest(np.ones(2, np.float32), others)[0].tolist() == [1, 0, 2]
    assert nearest.nearest(np.zeros(2, np.float32), others)[1].tolist() == [0, 0, 0]


def test_maps_are_of_the_predicted_classes_and_neighbours_of_the_portrait():
    found = explanations.explain(explain, extract, TEST, TRAINING, PORTRAIT)
    assert len(set(found.images.tolist())) == explanations.SHOWN
    predicted = extract(TEST[found.images]).probabilities.argmax(axis=1)
    np.testing.assert_array_equal(found.predicted, predicted)
    np.testing.assert_array_equal(found.maps, explain(TEST[found.images], predicted))
    np.testing.assert_array_equal(found.person_maps, explain(PORTRAIT[None], found.person_predicted))
    compared = nearest.sample(len(TRAINING))
    assert len(set(compared.tolist())) == nearest.IMAGES
    own, others = (extract(images).features.astype(float) for images in (PORTRAIT[None], TRAINING[compared]))
    cosine = others @ own[0] / np.linalg.norm(others, axis=1) / np.linalg.norm(own)
    np.testing.assert_array_equal(found.nearest[0], compared[np.argsort(-cosine)[: nearest.NEAREST]])
    np.testing.assert_allclose(found.similarity[0], np.sort(cosine)[: -1 - nearest.NEAREST : -1], atol=1e-4)


@pytest.mark.parametrize("portrait", [PORTRAIT, None])
def test_files_give_back_what_was_written_in_equal_bytes(portrait, tmp_path):
    found = explanations.explain(None, extract, TEST[:2], TRAINING[:3], portrait)
    assert found.maps.shape == (2, 0, 0)
    assert found.nearest.shape == (int(portrait is not None), 3)
    for name in ("a.npz", "b.npz"):
        explanations.save(found, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = explanations.load(tmp_path / "a.npz")
    for name, value in vars(found).items():
        np.testing.assert_array_equal(getattr(again, name), value)


def test_a_damaged_file_is_a_value_error(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no file of NumPy")
    np.savez(tmp_path / "b.npz", images=np.zeros(1))
    with pytest.raises(ValueError, match="pickled"):
        explanations.load(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="predicted"):
        explanations.load(tmp_path / "b.npz")
