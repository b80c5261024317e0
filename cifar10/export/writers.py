"""Write a Keras graph in a format. Layers that the format cannot express are named."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from cifar10 import files
from cifar10.errors import UserError
from cifar10.export import graph
from cifar10.training.keras_config import first_line
from cifar10.training.models import keras

LAYER = re.compile(r"training_\d+[^/\"]*/([^/\"]+?)(?:_1)?/")  # in the name of an operation
CALIBRATION_BATCH = 50  # images
Operation = tuple[str, str]  # its kind and its name


class _InexpressibleError(Exception):
    """The format lacks operations; the arguments are (kind, name) of each."""


def write(model: keras.Model, kind: str, path: Path, calibration: np.ndarray | None = None) -> None:
    """Write a graph.

    Args:
        model: from `graph.build`; for ONNX, its activations gelu are replaced.
        kind: one of `formats.FORMATS`.
        path: of the new file, or of the folder for SavedModel.
        calibration: for 8-bit weights, uint8 (N, H, W, 3) images; None for float32 weights.

    Raises:
        UserError: the format cannot express a layer.
        OSError: the file cannot be written.
    """
    model(np.zeros((1, *model.input_shape[1:]), np.uint8))  # Keras exports no model without a call
    try:
        match kind:
            case "keras":
                model.save(path)
            case "savedmodel":
                model.export(path, format="tf_saved_model", verbose=False)
            case "litert":
                _litert(model, path, calibration is not None)
            case "onnx":
                _onnx(model, path, calibration)
    except _InexpressibleError as error:
        kinds = ", ".join(dict.fromkeys(each for each, _ in error.args))
        layers = dict.fromkeys(found[1] for _, name in error.args if (found := LAYER.search(name)))
        where = f" (layer {', '.join(layers)})" if layers else ""
        raise UserError(
            f"{model.name}: the format {kind} cannot express the operation {kinds}{where}: "
            "choose another --format"
        ) from None
    except Exception as error:  # converters raise many kinds of errors
        files.raise_system_error(error, path)
        raise UserError(
            f"{model.name}: cannot be written in the format {kind} ({first_line(error)[:300]}): "
            "choose another --format"
        ) from None


def _litert(model: keras.Model, path: Path, int8: bool) -> None:
    """Write LiteRT's own operations only: its small runtime lacks those of TensorFlow."""
    options = {"optimizations": [tf.lite.Optimize.DEFAULT]} if int8 else {}
    builtins = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    try:
        model.export(path, format="litert", verbose=False, target_spec=builtins, **options)
    except tf.errors.OpError:
        raise
    except Exception as error:
        found = re.findall(r'fused\["(\w+):", "([^"@]+)', str(error))
        lacking = [each for each in found if LAYER.search(each[1])]
        if lacking:
            raise _InexpressibleError(*lacking) from None
        raise


def _onnx(model: keras.Model, path: Path, calibration: np.ndarray | None) -> None:
    import onnx

    for layer in _layers(model):
        if getattr(layer, "activation", None) is keras.activations.gelu:
            layer.activation = _gelu
        if isinstance(layer, keras.layers.Normalization):  # tf2onnx takes tensors of a layer for inputs
            layer.mean, layer.variance = np.array(layer.mean), np.array(layer.variance)
    model.export(path, format="onnx", verbose=False)
    written = onnx.load(path)
    bodies = [written.graph, *written.functions]
    nodes = [node for body in bodies for node in body.node]
    lacking = [(node.op_type, node.name) for node in nodes if not onnx.defs.has(node.op_type, node.domain)]
    if lacking:
        raise _InexpressibleError(*lacking)
    if calibration is not None:
        _quantize(path, calibration)


def _quantize(path: Path, calibration: np.ndarray) -> None:
    """Quantize weights per channel, and the inputs of layers with weights by their range on images."""
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            starts = range(0, len(calibration), CALIBRATION_BATCH)
            self.batches = iter([calibration[start : start + CALIBRATION_BATCH] for start in starts])

        def get_next(self) -> dict[str, Any] | None:
            return next(({graph.INPUT: batch} for batch in self.batches), None)

    with files.replacing(path) as beside:
        quantization.quantize_static(
            path,
            beside,
            Reader(),
            op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
        )


def _gelu(x: Any) -> Any:
    """Compute gelu by erf, which ONNX has; Keras uses erfc."""
    return 0.5 * x * (1 + keras.ops.erf(x * 0.5**0.5))


def _layers(model: keras.Model) -> Iterable[Any]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer
