"""Everything that one training works with: network, optimizer, weights of the classes, kept weights."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cifar10.base_options import Base
from cifar10.data.dataset import Split
from cifar10.params import Augment, Params, Train
from cifar10.training import augmentation, loop, losses, mixed_precision, models
from cifar10.training.backbones import base, frozen
from cifar10.training.schedules import Steps
from cifar10.training.selection import BestWeights


@dataclass(frozen=True)
class Prepared:
    """A network before its first step, and what trains it.

    Attributes:
        model: with new weights.
        optimizer: built.
        steps: of the training.
        class_weights: float32 (K,), or None for equal weights.
        best: the weights of the best epoch, if they are kept.
        state: all variables that a checkpoint holds.
        augment: augmentation of the training images.
        frozen: the base, if its features are computed once.
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    steps: Steps
    class_weights: np.ndarray | None
    best: BestWeights
    state: list[Any]
    augment: Augment | None
    frozen: Base | None = None

    def trained_network(self) -> keras.Model:
        """Return the network that is trained: all of it, or what comes after a frozen base."""
        return frozen.head(self.model) if self.frozen else self.model

    def train(
        self,
        training: Split,
        validation: Split,
        settings: Train,
        seed: int,
        history: list[dict[str, Any]],
        progress: Callable[[int, float, float], None],
    ) -> Iterator[loop.Epoch]:
        """Train the network, with the arguments of `loop.train`; after a frozen base, on its features."""
        if self.frozen:
            training = frozen.with_features(self.model, self.frozen, training)
            validation = frozen.with_features(self.model, self.frozen, validation)
        return loop.train(
            self.trained_network(),
            self.optimizer,
            training,
            validation,
            settings,
            seed,
            history,
            progress,
            self.augment,
            self.class_weights,
            self.best,
        )


def prepare(
    name: str,
    settings: Params,
    labels: np.ndarray,
    class_names: Sequence[str],
    epochs: int | None = None,
    shape: tuple[int, ...] = models.INPUT_SHAPE,
) -> Prepared:
    """Build the network and the optimizer of an entry of params.yaml for a training.

    Args:
        name: of the model.
        settings: params.yaml.
        labels: int (N,), of the training images.
        class_names: of the data.
        epochs: for the learning-rate schedule; None for those of params.yaml.
        shape: of an image: height, width, 3.

    Raises:
        UserError: an entry of params.yaml does not fit; the message names the key.
    """
    entry, train = settings.models[name], settings.train_of(name)
    steps = Steps.of(len(labels), train.batch_size, epochs or train.epochs)
    augmentation.check(name, entry.augment, shape)
    model = models.build(name, entry, len(class_names), shape)
    if entry.base:
        base.load_weights(model, entry.base, f"params.yaml: models.{name}.base.{entry.base.name}")
    optimizer = models.optimizer(name, entry, steps)
    mixed_precision.check(train.dtype, optimizer, f"params.yaml: models.{name}.optimizer")
    key = f"params.yaml: models.{name}.train.class_weight"
    if "class_weight" not in entry.train.model_fields_set:
        key = "params.yaml: train.class_weight"
    weights = losses.class_weights(train.class_weight, labels, class_names, key)
    variables, best = loop.train_state(model, optimizer), BestWeights(model, train.keep)
    state = [*variables, *best.variables]
    features_of = entry.base if entry.base and entry.base.train == "none" else None
    return Prepared(model, optimizer, steps, weights, best, state, entry.augment, features_of)
