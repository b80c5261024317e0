"""The formats that a model is written in, and the packages that each needs."""

import importlib.util
from dataclasses import dataclass

from cifar10.errors import UserError

EXTRA = "pip install -e '.[export]'"


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        file: name of the file, or of the folder for SavedModel.
        packages: what writes and checks it, beyond what every installation has; names of modules.
        int8: whether it can hold 8-bit weights.
    """

    file: str
    packages: tuple[str, ...] = ()
    int8: bool = False


FORMATS = {
    "keras": Format("model.keras"),
    "savedmodel": Format("saved_model"),
    "litert": Format("model.tflite", int8=True),
    "onnx": Format("model.onnx", ("onnx", "tf2onnx", "onnxruntime"), int8=True),
}


def check(name: str, quantize: str | None) -> None:
    """Check that a format can be written here.

    Args:
        name: one of FORMATS.
        quantize: None or `int8`.

    Raises:
        UserError: it holds no 8-bit weights, or a package is missing; the message says how to install it.
    """
    chosen = FORMATS[name]
    if quantize and not chosen.int8:
        able = ", ".join(each for each, found in FORMATS.items() if found.int8)
        raise UserError(f"--quantize {quantize}: got the format {name}, expected one of {able}")
    missing = [package for package in chosen.packages if importlib.util.find_spec(package) is None]
    if missing:
        raise UserError(
            f"the format {name} needs {', '.join(missing)}, which is not installed: run `{EXTRA}`"
        )
