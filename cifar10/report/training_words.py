"""Words about the trainings: optimizer, loss, epochs, kept weights."""

from collections.abc import Sequence
from typing import Any

from cifar10.params import KerasObject, Params, Train
from cifar10.report.results import Model


def optimizer(entry: KerasObject) -> str:
    """Write a Keras object with its arguments: `SGD (learning_rate OneCycle (peak 0.2), momentum 0.9)`."""
    ((name, arguments),) = entry.items()
    listed = [f"{key} {_value(value)}" for key, value in arguments.items()]
    return f"{name} ({', '.join(listed)})" if listed else name


def _value(value: Any) -> Any:
    is_object = isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict)
    return optimizer(value) if is_object else value


def loss(train: Train) -> str:
    """Describe the loss."""
    parts = ["cross-entropy"]
    if train.label_smoothing:
        parts.append(f"label smoothing {train.label_smoothing:g}")
    if isinstance(train.class_weight, dict):
        parts.append(
            f"class weights {', '.join(f'{name} {weight:g}' for name, weight in train.class_weight.items())}"
        )
    elif train.class_weight:
        parts.append(f"{train.class_weight} class weights")
    return ", ".join(parts)


def epochs(model: Model) -> str:
    """Write the number of epochs of a model's trainings; a range if they were stopped early."""
    lengths = sorted({len(training.history) for training in model.trainings})
    return " to ".join(map(str, dict.fromkeys([lengths[0], lengths[-1]])))


def kept(train: Train) -> str:
    """Say which epoch of a training the model is: `last` or `best`."""
    return "last" if train.keep == "last" else "best"


def shown_epoch(models: Sequence[Model], params: Params) -> str:
    """Name the epoch of the training metrics of all models: a phrase."""
    lengths = {len(training.history) for model in models for training in model.trainings}
    is_last = all(params.train_of(model.name).keep == "last" for model in models)
    if is_last and len(lengths) == 1:
        return f"epoch {lengths.pop()}, the last one"
    return "the last epoch of each training" if is_last else "the epoch whose weights are kept"
