"""Build Keras objects from the names and arguments in params.yaml."""

import difflib
from types import ModuleType
from typing import Any

import keras

from cifar10.errors import UserError
from cifar10.training import allowed_layers, keras_arguments
from cifar10.training.optimizers import FusedAdam

UNSCALED = [0.0, 1.0]  # range of the pixels after the first layer
OTHER_OPTIMIZERS = {
    "LossScaleOptimizer": "everything is float32",
    "MultiOptimizer": "a model has one optimizer",
    "ScheduleFreeAdamW": "it evaluates other weights than it trains",
}


def layer(kind: str, arguments: dict[str, Any], key: str, rescaled: bool = False) -> Any:
    """Build a layer. `value_range` is [0, 1], the range of the pixels, unless a layer before changes it.

    Args:
        kind: class name in params.yaml.
        arguments: of the class, in params.yaml.
        key: position in params.yaml, for errors.
        rescaled: whether a layer before this one rescales the pixels.

    Raises:
        UserError: the layer is not available, or an argument does not exist or has a wrong value.
    """
    if reason := allowed_layers.REFUSED.get(kind):
        raise UserError(f"{key}: {kind} is not available here: {reason}")
    known = allowed_layers.ALLOWED
    if kind in known and "value_range" in keras_arguments.accepted(known[kind]):
        given = arguments.get("value_range")
        if rescaled and given is None:
            raise UserError(f"{key}.value_range: missing, expected the range after the rescaling layer")
        if not rescaled and given not in (None, UNSCALED):
            raise UserError(f"{key}.value_range: got {given}, expected [0, 1], the range of the pixels here")
        arguments = {**arguments, "value_range": given or UNSCALED}
    if kind == "Normalization" and not {"mean", "variance"} <= {
        k for k, v in arguments.items() if v is not None
    }:
        raise UserError(f"{key}: expected the arguments mean and variance; no layer is adapted to data here")
    return construct(known, kind, arguments, key)


def optimizer(kind: str, arguments: dict[str, Any], key: str) -> Any:
    """Build an optimizer: any of Keras, with FusedAdam as Adam if it supports the arguments.

    Raises:
        UserError: Keras has no such optimizer or argument, or an argument has a wrong value.
    """
    if reason := OTHER_OPTIMIZERS.get(kind):
        raise UserError(f"{key}: {kind} is not available here: {reason}")
    known = _subclasses(keras.optimizers, keras.optimizers.Optimizer)
    known = {name: value for name, value in known.items() if name not in OTHER_OPTIMIZERS}
    if FusedAdam.can_do(arguments):
        known["Adam"] = FusedAdam
    return construct(known, kind, keras_arguments.checked_options(arguments, key), key)


def construct(known: dict[str, type], kind: str, arguments: dict[str, Any], key: str) -> Any:
    """Build an object of class `kind` with its arguments.

    Args:
        known: allowed classes by name.
        kind: class name in params.yaml.
        arguments: of the class, in params.yaml.
        key: position in params.yaml, for errors.

    Raises:
        UserError: the class or an argument does not exist, or Keras rejects a value.
    """
    if kind not in known:
        raise UserError(f"{key}: Keras has no {kind!r} here, expected a name such as {_nearest(kind, known)}")
    found = keras_arguments.checked(known[kind], arguments, key, _nested)
    try:
        return known[kind](**found)
    except Exception as error:  # Keras checks few types, so a wrong value can raise any exception
        raise UserError(f"{key}: got {arguments}: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """Return the first paragraph of an error message as one line."""
    return " ".join(str(error).strip().split("\n\n")[0].split()) or type(error).__name__


def _nested(name: str, value: dict[str, Any], key: str) -> Any:
    """Build the initializer, regularizer or constraint of an argument, without Keras' loader of any class."""
    modules: dict[str, tuple[ModuleType, type]] = {
        "initializer": (keras.initializers, keras.initializers.Initializer),
        "regularizer": (keras.regularizers, keras.regularizers.Regularizer),
        "constraint": (keras.constraints, keras.constraints.Constraint),
    }
    kind, config = value.get("class_name"), value.get("config") or {}
    if (
        not value.keys() <= {"class_name", "config"}
        or not isinstance(kind, str)
        or not isinstance(config, dict)
    ):
        raise UserError(f"{key}: got {value}, expected {{class_name: NAME, config: {{ARGUMENT: VALUE}}}}")
    return construct(_subclasses(*modules[name.rpartition("_")[2]]), kind, config, key)


def _subclasses(module: ModuleType, base: type) -> dict[str, type]:
    """Return the subclasses of `base` in a module, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }


def _nearest(kind: str, known: dict[str, type]) -> str:
    """List the names closest to `kind`, or all names."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(kind.lower(), by_lower, n=3)
    return ", ".join(by_lower[name] for name in near) or ", ".join(sorted(known))
