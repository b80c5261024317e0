"""The device of a training: hidden, chosen or missing GPUs."""

import subprocess
import sys

import pytest

from cifar10 import arithmetic
from cifar10.errors import UserError
from cifar10.training import devices

WITH_GPUS = """
import cifar10
from cifar10.training import tensorflow_setup
with tensorflow_setup.tensorflow():
    from cifar10.training import devices
import tensorflow as tf
from unittest.mock import patch
names = ["first", "second"]
with patch.object(tf.config, "set_visible_devices") as visible, patch.object(
    tf.config.experimental, "set_memory_growth"
) as growth:
    print(devices.use("{device}", lambda: names), visible.call_args.args, growth.call_args)
"""


def test_a_missing_gpu_is_one_line_that_says_what_to_do():
    with pytest.raises(UserError) as caught:
        devices.use("gpu", list)
    assert "train.device: got gpu" in str(caught.value)
    assert "make install GPU=1" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("cpu", "[] ([], 'GPU') None\n"),
        ("gpu", "['first'] (['first'], 'GPU') call('first', True)\n"),
    ],
)
def test_gpus_are_hidden_on_the_cpu_and_the_first_is_used_otherwise(device, expected):
    command = [sys.executable, "-c", WITH_GPUS.replace("{device}", device)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == expected


def test_the_gpu_is_named_in_the_arithmetic():
    details = {"device_name": "NVIDIA H100 80GB HBM3", "compute_capability": (9, 0)}
    told = devices.name(details)
    assert told == "NVIDIA H100 80GB HBM3, compute capability 9.0"
    ours = arithmetic.in_effect()
    assert devices.in_effect() == {}
    assert arithmetic.describe({**ours, devices.KEY: told}) == f"{arithmetic.describe(ours)}, on {told}"
