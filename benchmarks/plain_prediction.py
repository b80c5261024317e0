"""Classify pictures as `cifar10-classify` does, without the OOD detector and the temperature."""

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import arithmetic  # noqa: F401  before NumPy, which reads the environment at load time

# isort: split
import numpy as np

from cifar10 import errors, params, paths
from cifar10.data import dataset, images, inputs
from cifar10.evaluation import ensemble
from cifar10.predict import arguments
from cifar10.training import tensorflow_setup

Predict = Callable[[np.ndarray], np.ndarray]  # of uint8 (N, H, W, 3) images: probabilities, (N, K)


def main() -> None:
    """Print the most probable classes of every picture for each model; the arguments are the command's."""
    options = arguments.parser(__doc__).parse_args()
    chosen, classes = params.load(), dataset.class_names()
    seeds = chosen.train.seeds if options.seed is None else [chosen.seed(options.seed)]
    names, size = inputs.expand(options.images), chosen.data.size
    read = images.read_all([Path(name) for name in names], options.fit, size)
    seen = np.array([picture.pixels for picture in read if isinstance(picture, images.Picture)], np.uint8)
    with tensorflow_setup.tensorflow():
        from cifar10.training import models

        models.make_deterministic(seed=0)
    for model in options.model or chosen.models:
        networks = [predictor(model, seed, chosen, len(classes)) for seed in seeds]
        mean = ensemble.mean_probabilities([predict(seen) for predict in networks])
        for name, row in zip(names, mean, strict=True):
            top = np.argsort(-row)[:3]
            print(name, model, *(f"{classes[label]} {100 * row[label]:.1f} %" for label in top))


def predictor(model: str, seed: int, chosen: params.Params, classes: int) -> Predict:
    """Build a trained network; it averages with the mirror image if `predict.mirror` has the model."""
    from cifar10.evaluation import trained_models
    from cifar10.training import models, probabilities

    network = models.build(model, chosen.models[model], classes, (*chosen.data.size, 3))
    trained_models.load_weights(network, paths.model(model, seed))
    predict = models.predictor(network)

    def plain(pictures: np.ndarray) -> np.ndarray:
        (scores,) = predict(pictures)
        return probabilities.normalize(scores)

    if model not in chosen.predict.mirror:
        return plain
    return lambda pictures: (plain(pictures) + plain(pictures[:, :, ::-1])) / 2


if __name__ == "__main__":
    errors.run(main)
