"""The order of the images in an epoch."""

import numpy as np

from cifar10.training import image_order


def test_every_image_comes_once_an_epoch_in_an_order_of_its_own():
    epochs = [
        np.concatenate([b.ravel() for b in image_order.shuffled_batches(1000, 32, 7, e)]) for e in (1, 2)
    ]
    for epoch in epochs:
        assert sorted(epoch) == list(range(1000))
    assert (epochs[0] != epochs[1]).any()
    again = np.concatenate([b.ravel() for b in image_order.shuffled_batches(1000, 32, 7, 2)])
    np.testing.assert_array_equal(again, epochs[1])
