"""The device of a training: hidden, chosen or missing GPUs."""

from unittest.mock import call, patch

import pytest
import tensorflow as tf

from cifar10 import arithmetic
from cifar10.errors import UserError
from cifar10.training import devices


def test_a_missing_gpu_is_one_line_that_says_what_to_do():
    with pytest.raises(UserError) as caught:
        devices.use("gpu", list)
    assert "train.device: got gpu" in str(caught.value)
    assert "make install GPU=1" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_gpu_of_macos_is_refused(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(UserError, match=r"train.device: got gpu, expected cpu on macOS"):
        devices.use("gpu", lambda: ["Metal"])


@pytest.mark.parametrize(
    ("device", "visible", "growing"),
    [("cpu", [], []), ("gpu", ["first"], [call("first", True)])],
)
def test_gpus_are_hidden_on_the_cpu_and_the_first_is_used_otherwise(device, visible, growing):
    with (
        patch.object(tf.config, "set_visible_devices") as show,
        patch.object(tf.config.experimental, "set_memory_growth") as grow,
    ):
        assert devices.use(device, lambda: ["first", "second"]) == visible
    assert show.call_args_list == [call(visible, "GPU")]
    assert grow.call_args_list == growing


def test_the_gpu_is_named_in_the_arithmetic():
    details = {"device_name": "NVIDIA H100 80GB HBM3", "compute_capability": (9, 0)}
    told = devices.name(details)
    assert told == "NVIDIA H100 80GB HBM3, compute capability 9.0"
    ours = arithmetic.in_effect()
    assert devices.in_effect() == {}
    assert arithmetic.describe({**ours, devices.KEY: told}) == f"{arithmetic.describe(ours)}, on {told}"
