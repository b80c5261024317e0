import numpy as np

from cifar10.audit.joined import Joined


def test_joined_arrays_are_read_as_numpy_reads_them_together():
    random = np.random.default_rng(0)
    arrays = [random.integers(0, 256, (count, 4, 5, 3), np.uint8) for count in (7, 0, 3)]
    whole, joined = np.concatenate(arrays), Joined(arrays)
    assert (len(joined), joined.shape) == (10, (10, 4, 5, 3))
    assert all(np.array_equal(*pair) for pair in zip(joined, whole, strict=True))
    for indices in (np.array([9, 0, 7, 6, 6]), np.arange(0), random.permutation(10)):
        np.testing.assert_array_equal(joined[indices], whole[indices])
