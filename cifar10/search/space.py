"""The search space: parameters with a range, as Optuna distributions, and overrides with one value."""

from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cifar10 import overrides, params
from cifar10.errors import UserError

EXAMPLE = "models.model_2.optimizer.SGD.learning_rate=tag(log, interval(0.001, 0.1))"


@dataclass(frozen=True)
class Space:
    """What a search varies.

    Attributes:
        ranges: the distribution of each searched parameter, by its key in params.yaml.
        fixed: overrides with one value, for all trials.
        given: all overrides, sorted, as text.
        parameters: params.yaml with the fixed overrides and the last value of each range.
    """

    ranges: dict[str, BaseDistribution]
    fixed: list[str]
    given: list[str]
    parameters: params.Params


def read(texts: list[str], model: str) -> Space:
    """Read the overrides of a search.

    Args:
        texts: overrides in the syntax of Hydra: `KEY=interval(0.1, 0.5)`, `KEY=int(interval(1, 8))`,
            `KEY=tag(log, interval(0.001, 0.1))`, `KEY=range(1, 9, 2)`, `KEY=choice(16, 32)`, or `KEY=VALUE`
            for all trials.
        model: the model to train.

    Raises:
        UserError: an override cannot be read, has a key that `model` does not use, or a value that
            params.yaml does not allow; or none has a range.
    """
    ranges: dict[str, BaseDistribution] = {}
    fixed = []
    for text in texts:
        override = overrides.parse(text)
        key = override.get_key_element().lstrip("+~")
        if not key.startswith(("train.", f"models.{model}.")):
            raise UserError(f"{overrides.OPTION} {text}: expected a key under train or models.{model}")
        if not override.is_sweep_override():
            fixed.append(text)
            continue
        if key == overrides.SEEDS:
            raise UserError(f"{overrides.OPTION} {text}: expected one list; a trial is a mean over its seeds")
        ranges[override.get_key_element()] = _distribution(override)
    if not ranges:
        raise UserError(f"{overrides.OPTION}: expected a parameter with a range, as in '{EXAMPLE}'")
    for end in (0, -1):
        _, parameters = overrides.apply([*fixed, *(f"{key}={_end(ranges[key], end)}" for key in ranges)])
    for key in ranges:
        section, setting = key.lstrip("+~").split(".")[:2]
        if section == "train" and setting in parameters.models[model].train.model_fields_set:
            raise UserError(
                f"{overrides.OPTION} {key}: has no effect, models.{model}.train.{setting} replaces it: "
                f"expected models.{model}.train.{setting}"
            )
    return Space(ranges, fixed, sorted(texts), parameters)


def _distribution(override: Override) -> BaseDistribution:
    value: Any = override.value()
    given = f"{overrides.OPTION} {override.input_line}"
    try:
        if isinstance(value, ChoiceSweep):
            return CategoricalDistribution([*override.sweep_string_iterator()])
        if isinstance(value, RangeSweep):
            return _range([*value.range()], value.step)
        if isinstance(value, IntervalSweep):
            return _interval(value.start, value.end, "log" in value.tags)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{given}: not a range: {reason}") from None
    raise UserError(f"{given}: expected choice(...), range(...) or interval(...)")


def _range(values: list[Any], step: Any) -> BaseDistribution:
    if not values:
        raise ValueError("it has no values")
    if all(isinstance(value, int) for value in values):
        return IntDistribution(values[0], values[-1], step=step)
    return FloatDistribution(values[0], round(values[-1], 12), step=step)  # 0.1 + 0.2 is 0.30000000000000004


def _interval(low: Any, high: Any, log: bool) -> BaseDistribution:
    whole = isinstance(low, int) and isinstance(high, int)
    return IntDistribution(low, high, log=log) if whole else FloatDistribution(low, high, log=log)


def _end(distribution: Any, end: int) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[end]
    return (distribution.low, distribution.high)[end]
