"""Pseudo-OOD images: puzzles and blends of the images."""

import numpy as np

from cifar10.evaluation import pseudo_ood
from tests.evaluation.random_outputs import RANDOM


def test_pseudo_ood_images_are_made_of_the_images():
    images = RANDOM.integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(40) % 2
    made = pseudo_ood.make(images, labels)
    for picture, puzzle in zip(images, made["puzzles"], strict=True):
        assert not np.array_equal(picture, puzzle)
        np.testing.assert_array_equal(np.sort(tiles(picture)), np.sort(tiles(puzzle)))
    means = {
        ((a.astype(int) + b) // 2).tobytes()
        for a in images[labels == 0]
        for b in images[labels == 1].astype(int)
    }
    assert {blend.astype(int).tobytes() for blend in made["blends"]} <= means
    assert 0 < len(made["blends"]) < 40
    assert {len(made[kind.__name__]) for kind in pseudo_ood.KINDS} == {40}


def tiles(picture: np.ndarray) -> list[str]:
    return [picture[y : y + 8, x : x + 8].tobytes().hex() for y in range(0, 32, 8) for x in range(0, 32, 8)]
