import numpy as np
import pytest

from cifar10.data import splitting
from cifar10.errors import UserError

LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [100, 50, 30]))


def test_every_class_gives_its_share_and_the_order_is_kept():
    train, validation = splitting.split(LABELS, 0.1, seed=0)
    assert np.bincount(LABELS[validation]).tolist() == [10, 5, 3]
    assert np.array_equal(np.sort(np.concatenate([train, validation])), np.arange(180))
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_the_seed_alone_decides():
    draws = [splitting.split(LABELS, 0.1, seed)[1].tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_fraction_0_leaves_validation_empty():
    train, validation = splitting.split(LABELS, 0, seed=0)
    assert np.array_equal(train, np.arange(180))
    assert validation.shape == (0,)


@pytest.mark.parametrize(
    ("labels", "fraction"), [([0] * 50 + [1], 0.1), ([0, 1] * 4, 0.1), ([0, 1] * 4, 0.95)]
)
def test_too_few_images_are_an_error_of_one_line(labels, fraction):
    fewest = min(labels.count(0), labels.count(1))
    with pytest.raises(UserError, match=rf"^data.validation_fraction: {fraction} .* smallest has {fewest}:"):
        splitting.split(np.array(labels), fraction, seed=0)
