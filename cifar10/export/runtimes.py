"""Run an exported model with the library that others run it with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cifar10.export import graph

BATCH = 64  # images
Run = Callable[[np.ndarray], np.ndarray]


def load(kind: str, path: Path) -> Run:
    """Load an export.

    Args:
        kind: one of `formats.FORMATS`.
        path: of its file, or of its folder for SavedModel.

    Returns:
        A function from uint8 (N, H, W, 3) images to float32 (N, K) probabilities.
    """
    run = {"keras": _keras, "savedmodel": _saved_model, "litert": _litert, "onnx": _onnx}[kind](path)

    def batches(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), BATCH)
        return np.concatenate([run(images[start : start + BATCH]) for start in starts])

    return batches


def _keras(path: Path) -> Run:
    from cifar10.training.models import keras

    model = keras.saving.load_model(path)
    return lambda images: np.asarray(model(images, training=False))


def _saved_model(path: Path) -> Run:
    import tensorflow as tf

    model = tf.saved_model.load(path)
    return lambda images: np.asarray(model.serve(tf.constant(images)))


def _litert(path: Path) -> Run:
    interpreter = _interpreter()(model_path=str(path))
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(images: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(given["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(answer["index"]))

    return run


def _interpreter() -> Any:
    """Return the interpreter of ai-edge-litert, or TensorFlow's if it is not installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        from tensorflow import lite

        return lite.Interpreter
    return Interpreter


def _onnx(path: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return lambda images: np.asarray(session.run(None, {graph.INPUT: images})[0])
