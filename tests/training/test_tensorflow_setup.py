"""What holds while TensorFlow is imported, and after it."""

import gc

import pytest

from cifar10.training import tensorflow_setup


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_stops_and_passes_over_what_was_imported(enabled):
    during = []

    def fail():
        with tensorflow_setup.tensorflow():
            during.extend([gc.isenabled(), {"of": ["a module"]}])
            raise ImportError("as of a missing library")

    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ImportError):
            fail()
        collects, imported = during
        assert not collects
        assert gc.isenabled() is enabled
        assert not any(each is imported for each in gc.get_objects())
    finally:
        gc.enable()
