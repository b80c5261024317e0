"""Options of a training in params.yaml: types and values. cifar10/training does what they say."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Monitored = Literal["val_accuracy", "val_loss"]  # columns of the history
LARGEST_WEIGHT = 1e6  # of a class


class Section(BaseModel):
    """A section of params.yaml. Unknown keys, other types and numbers that are not finite are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class EarlyStopping(Section):
    """End of a training that no longer improves, with the arguments of Keras' EarlyStopping."""

    patience: Annotated[int, Field(ge=0)]  # epochs without improvement before the end
    monitor: Monitored = "val_loss"
    min_delta: Annotated[float, Field(ge=0)] = 0.0  # a smaller change is no improvement
    start_from_epoch: Annotated[int, Field(ge=0)] = 0  # epochs before the first comparison


def _kept(value: Any) -> Any:
    """Accept `last`, `best` for `{best: val_accuracy}`, and `{best: COLUMN}`; return `last` or the column."""
    if value == "best":
        return "val_accuracy"
    if isinstance(value, dict) and list(value) == ["best"] and value["best"] in ("val_accuracy", "val_loss"):
        return value["best"]
    if value != "last":
        raise ValueError("expected last, best, {best: val_accuracy} or {best: val_loss}")
    return value


def _weights(value: Any) -> Any:
    """Accept `balanced` and a section with a weight per class; return names as texts, weights as floats."""
    if value is None or value == "balanced":
        return value
    weights = [*value.values()] if isinstance(value, dict) else []
    if not weights or not all(
        isinstance(weight, int | float) and not isinstance(weight, bool) and 0 < weight <= LARGEST_WEIGHT
        for weight in weights
    ):
        raise ValueError("expected balanced, or a positive weight per class such as {cat: 2, dog: 1}")
    return {str(name): float(weight) for name, weight in value.items()}


Epochs = Annotated[int, Field(ge=1, le=1_000_000)]
BatchSize = Annotated[int, Field(ge=1, le=65_536)]  # a step keeps the activations of all its images
LabelSmoothing = Annotated[float, Field(ge=0, lt=1)]
ClassWeight = Annotated[dict[str, float] | Literal["balanced"] | None, BeforeValidator(_weights)]
Keep = Annotated[Literal["last"] | Monitored, BeforeValidator(_kept)]  # not `last`: the best epoch by this
Images = Annotated[int, Field(ge=1)] | None  # None: all


_UNSET: Any = None  # is not in `model_fields_set`


class ModelTrain(Section):
    """Settings of a model's trainings that replace those of `train`. What is not set has no meaning."""

    epochs: Epochs = _UNSET
    batch_size: BatchSize = _UNSET
    label_smoothing: LabelSmoothing = _UNSET
    class_weight: ClassWeight = _UNSET
    keep: Keep = _UNSET
    early_stopping: EarlyStopping | None = _UNSET
    images: Images = _UNSET
