"""Build Keras objects from the names and arguments in params.yaml."""

import difflib
from types import ModuleType
from typing import Any

import keras

from cifar10.errors import UserError
from cifar10.training import keras_arguments, keras_layers, optimizers, schedules
from cifar10.training.optimizers import FusedAdam
from cifar10.training.schedules import Steps

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
    if reason := keras_layers.REFUSED.get(kind):
        raise UserError(f"{key}: {kind} is not available here: {reason}")
    known = keras_layers.ALLOWED
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


def optimizer(kind: str, arguments: dict[str, Any], key: str, steps: Steps | None = None) -> Any:
    """Build an optimizer: any of Keras, with FusedAdam as Adam if it supports the arguments.

    Args:
        kind: class name in params.yaml.
        arguments: of the class, in params.yaml; `learning_rate` may be a schedule with its arguments, and
            `exclude_from_weight_decay` lists names of weights without weight decay.
        key: position in params.yaml, for errors.
        steps: of the training, for schedules; None if they are not known.

    Raises:
        UserError: Keras has no such optimizer or argument, or an argument has a wrong value.
    """
    if reason := OTHER_OPTIMIZERS.get(kind):
        raise UserError(f"{key}: {kind} is not available here: {reason}")
    known = _subclasses(keras.optimizers, keras.optimizers.Optimizer)
    known = {name: value for name, value in known.items() if name not in OTHER_OPTIMIZERS}
    if FusedAdam.can_do(arguments):
        known["Adam"] = FusedAdam
    plain, made = dict(arguments), {}
    excluded = plain.pop(optimizers.EXCLUDE, None)
    if isinstance(plain.get("learning_rate"), dict):
        made["learning_rate"] = _schedule(plain.pop("learning_rate"), f"{key}.learning_rate", steps)
    found = construct(known, kind, keras_arguments.checked_options(plain, key), key, **made)
    if excluded is not None:
        optimizers.exclude_from_weight_decay(found, excluded, f"{key}.{optimizers.EXCLUDE}")
    return found


def _schedule(value: dict[str, Any], key: str, steps: Steps | None) -> Any:
    """Build a learning-rate schedule: any of Keras, or OneCycle."""
    (kind, arguments), *more = value.items() or [("", None)]
    if more or not isinstance(arguments, dict):
        raise UserError(
            f"{key}: got {value}, expected a number such as 0.001, or a schedule with its arguments such as "
            "{CosineDecay: {initial_learning_rate: 0.1, decay_steps: total_steps}}"
        )
    known = _subclasses(keras.optimizers.schedules, keras.optimizers.schedules.LearningRateSchedule)
    known["OneCycle"] = schedules.OneCycle
    given = {"total_steps": "total_steps", **arguments} if kind == "OneCycle" else arguments
    counted = {name: schedules.evaluate(each, steps, f"{key}.{kind}.{name}") for name, each in given.items()}
    if isinstance(values := counted.get("values"), list):  # Keras multiplies them, as whole numbers too
        counted["values"] = [float(each) if isinstance(each, int) else each for each in values]
    return schedules.checked(construct(known, kind, counted, f"{key}.{kind}"), steps, f"{key}.{kind}")


def construct(known: dict[str, type], kind: str, arguments: dict[str, Any], key: str, **made: Any) -> Any:
    """Build an object of class `kind` with its arguments.

    Args:
        known: allowed classes by name.
        kind: class name in params.yaml.
        arguments: of the class, in params.yaml.
        key: position in params.yaml, for errors.
        made: arguments that are Keras objects already.

    Raises:
        UserError: the class or an argument does not exist, or Keras rejects a value.
    """
    if kind not in known:
        raise UserError(f"{key}: Keras has no {kind!r} here, expected a name such as {_nearest(kind, known)}")
    found = keras_arguments.checked(known[kind], arguments, key, _nested)
    try:
        return known[kind](**found, **made)
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
