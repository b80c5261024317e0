"""Check the arguments of Keras classes in params.yaml: what is accepted acts as in Keras' `fit`."""

import inspect
from collections.abc import Callable
from typing import Any

from cifar10.errors import UserError

# of layers; Keras accepts these, but the step of a training, the .h5 file or `evaluate` would not follow
NOT_HERE = {
    "dtype": "everything is float32",
    "autocast": "everything is float32",
    "lora_rank": "all weights are trained",
    "lora_alpha": "all weights are trained",
    "quantization_config": "everything is float32",
    "renorm": "its bytes depend on the processor",
    "renorm_clipping": "there is no batch renormalisation",
    "renorm_momentum": "there is no batch renormalisation",
    "rms_scaling": "Keras replaces it by RMSNormalization",
    "synchronized": "a training has one device",
    "return_state": "a layer has one output",
    "sparse": "tensors are dense",
    "stateful": "images of different batches are independent",
    "weights": "weights come from an initializer",
}
# of optimizers; their default is None, so it does not tell the type. (lowest value, whole number)
OF_OPTIMIZERS = {
    "learning_rate": (0, False),
    "weight_decay": (0, False),
    "clipnorm": (0, False),
    "clipvalue": (0, False),
    "global_clipnorm": (0, False),
    "loss_scale_factor": (1e-30, False),
    "ema_overwrite_frequency": (1, True),
    "gradient_accumulation_steps": (2, True),
    "warmup_steps": (0, True),
    "ns_steps": (1, True),
}
NESTED = ("_initializer", "_regularizer", "_constraint")  # ends of arguments that are Keras objects

Build = Callable[[str, dict[str, Any], str], Any]  # from an argument's name, {class_name, config} and a key


def checked(kind: type, arguments: dict[str, Any], key: str, build: Build) -> dict[str, Any]:
    """Return the arguments for a Keras class; whole numbers become floats where Keras expects a float.

    Args:
        kind: a layer, an optimizer, an initializer, a regularizer or a constraint.
        arguments: from params.yaml.
        key: position in params.yaml, for errors.
        build: makes the initializer, regularizer or constraint of an argument.

    Raises:
        UserError: an argument is unknown, has no effect here, or its value has another type.
    """
    defaults = accepted(kind)
    found = {}
    for name, value in arguments.items():
        where = f"{key}.{name}"
        if name in NOT_HERE and name in defaults:
            raise UserError(f"{where}: not available here, because {NOT_HERE[name]}: leave it out")
        if name not in defaults:
            usable = [each for each in defaults if each not in NOT_HERE]
            raise UserError(f"{key}: unknown argument {name!r}, expected one of {', '.join(usable)}")
        if name == "data_format" and value not in (None, "channels_last"):
            raise UserError(f"{where}: got {value!r}, expected channels_last, the layout of the images")
        if isinstance(value, dict) and name.endswith(NESTED):
            found[name] = build(name, value, where)
        elif expected := _mismatch(value, defaults[name]):
            raise UserError(f"{where}: got {_kind(value)} {value!r}, expected {expected}")
        else:
            found[name] = float(value) if _is_float(defaults[name]) and _is_number(value) else value
    return found


def checked_options(arguments: dict[str, Any], key: str) -> dict[str, Any]:
    """Check the arguments that all optimizers share, before `checked`; whole numbers become floats.

    Raises:
        UserError: a value is no number or too small.
    """
    found = dict(arguments)
    for name, value in arguments.items():
        if isinstance(value, list):
            raise UserError(f"{key}.{name}: got the list {value}, expected one value")
        if name not in OF_OPTIMIZERS or value is None:
            continue
        lowest, whole = OF_OPTIMIZERS[name]
        if not _is_number(value) or value < lowest or (whole and not isinstance(value, int)):
            expected = (
                f"a whole number of at least {lowest}"
                if whole
                else f"a number such as 0.001, {lowest} or more"
            )
            raise UserError(f"{key}.{name}: got {_kind(value)} {value!r}, expected {expected}")
        found[name] = value if whole else float(value)
    return found


def accepted(kind: type) -> dict[str, Any]:
    """Return the arguments of a class with their defaults, including those of bases that get its **kwargs."""
    found: dict[str, Any] = {}
    for ancestor in kind.__mro__:
        if "__init__" not in vars(ancestor):
            continue
        parameters = inspect.signature(vars(ancestor)["__init__"]).parameters.values()
        for p in parameters:
            if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
                found.setdefault(p.name, p.default)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def _mismatch(value: Any, default: Any) -> str | None:
    """Say what is expected instead of a value; None if its type is that of the argument."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(default, str):
        return None if isinstance(value, str) else f"a text such as {default}"
    if isinstance(default, int | float | tuple):
        example = list(default) if isinstance(default, tuple) else default
        return None if _are_numbers(value) else f"a number or a list of numbers such as {example}"
    if value is None:
        return "a value" if default is inspect.Parameter.empty else None
    if isinstance(value, str):
        return "a number such as 0.001" if _is_number_in_text(value) else None
    return None if _are_numbers(value) else "a number, a text or a list of numbers"


def _is_float(default: Any) -> bool:
    return isinstance(default, float)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    """Check for a number or a list of numbers, or of such lists."""
    return all(map(_are_numbers, value)) if isinstance(value, list) else _is_number(value)


def _is_number_in_text(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _kind(value: Any) -> str:
    names = {str: "the text", bool: "the boolean", list: "the list", dict: "the section"}
    return names.get(type(value), "the number" if _is_number(value) else "the value")
