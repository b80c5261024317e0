"""Keras classes that params.yaml may name, and how to build them from names and arguments."""

import difflib
import inspect
from types import ModuleType
from typing import Any

import keras

from cifar10.errors import UserError
from cifar10.training.optimizers import FusedAdam


def allowed_layers() -> dict[str, type]:
    """Return the layers allowed in params.yaml: all of Keras except Lambda, which runs code from a file."""
    layers = _subclasses(keras.layers, keras.layers.Layer)
    return {name: layer for name, layer in layers.items() if name != "Lambda"}


def allowed_optimizers(arguments: dict[str, Any]) -> dict[str, type]:
    """Return the optimizers allowed in params.yaml: all of Keras, with FusedAdam as Adam.

    Args:
        arguments: of the optimizer in params.yaml; Keras' Adam stays if FusedAdam does not support them.
    """
    optimizers = _subclasses(keras.optimizers, keras.optimizers.Optimizer)
    return optimizers | ({"Adam": FusedAdam} if FusedAdam.can_do(arguments) else {})


def _subclasses(module: ModuleType, base: type) -> dict[str, type]:
    """Return the subclasses of `base` in a module, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }


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
    allowed = _arguments(known[kind])
    for name, value in arguments.items():
        if name not in allowed:
            raise UserError(f"{key}: unknown argument {name!r}, expected one of {', '.join(allowed)}")
        if isinstance(value, str) and _is_number(value):
            raise UserError(f"{key}.{name}: got the text {value!r}, expected a number such as 0.001")
    try:
        return known[kind](**arguments)
    except (ValueError, TypeError) as error:
        raise UserError(f"{key}: got {arguments}: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """Return the first paragraph of an error message as one line."""
    return " ".join(str(error).strip().split("\n\n")[0].split())


def _nearest(kind: str, known: dict[str, type]) -> str:
    """List the names closest to `kind`, or all names."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(kind.lower(), by_lower, n=3)
    return ", ".join(by_lower[name] for name in near) or ", ".join(sorted(known))


def _arguments(kind: type) -> list[str]:
    """List the arguments of a class, including those of base classes that receive its **kwargs."""
    names: list[str] = []
    for ancestor in kind.__mro__:
        if "__init__" not in vars(ancestor):
            continue
        parameters = inspect.signature(vars(ancestor)["__init__"]).parameters.values()
        names += [
            p.name for p in parameters if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        ]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(dict.fromkeys(names))


def _is_number(text: str) -> bool:
    """Recognise a number that YAML reads as text, such as 1e-3."""
    try:
        float(text)
    except ValueError:
        return False
    return True
