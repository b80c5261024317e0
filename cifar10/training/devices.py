"""The device of a training: the CPU, or the first GPU that TensorFlow can use."""

import sys
from collections.abc import Callable
from typing import Any, Literal

import tensorflow as tf

from cifar10.errors import UserError
from cifar10.training import cuda_libraries

Device = Literal["cpu", "gpu"]
KEY = "device"  # of what `in_effect` returns


def gpus() -> list[Any]:
    """List the GPUs that TensorFlow can use."""
    return tf.config.list_physical_devices("GPU")


def use(device: Device, listed: Callable[[], list[Any]] = gpus) -> list[Any]:
    """Choose the device of this process, before the first tensor; return the GPUs to make visible.

    On the CPU, all GPUs are hidden: results are then those of a machine without any. A GPU takes memory as it
    needs it, so that several trainings can share it.

    Args:
        device: `train.device` of params.yaml.
        listed: returns the GPUs.

    Raises:
        UserError: `gpu`, but TensorFlow can use none, or trains wrongly on it (tensorflow-metal of macOS).
    """
    if device == "gpu" and sys.platform == "darwin":
        raise UserError(
            "params.yaml: train.device: got gpu, expected cpu on macOS: TensorFlow supports no GPU there"
        )
    if device == "gpu":
        cuda_libraries.load()
    found = listed()
    if device == "gpu" and not found:
        raise UserError(
            "params.yaml: train.device: got gpu, but TensorFlow finds no GPU: expected an NVIDIA GPU with a "
            "driver, on Linux, and `make install GPU=1`; or set `device: cpu`"
        )
    chosen = found[:1] if device == "gpu" else []
    tf.config.set_visible_devices(chosen, "GPU")
    for gpu in chosen:
        tf.config.experimental.set_memory_growth(gpu, True)
    return chosen


def in_effect() -> dict[str, str]:
    """Return the name of the visible GPU as `device`; {} on the CPU, for which `arithmetic` says all."""
    visible = tf.config.get_visible_devices("GPU")
    return {KEY: name(tf.config.experimental.get_device_details(visible[0]))} if visible else {}


def name(details: dict[str, Any]) -> str:
    """Name a GPU from its details: `NVIDIA H100, compute capability 9.0`."""
    found = str(details.get("device_name", "GPU"))
    capability = details.get("compute_capability")
    return f"{found}, compute capability {'.'.join(map(str, capability))}" if capability else found
