"""Print the outputs that depend on other images of a batch; test_alone.py runs it per instruction set."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params
from cifar10.evaluation import detector, id_scores, layer_distances
from cifar10.params import Model
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np

COUNT = 130
PARTS = 3  # asked of each size: it is the size and the place that decide, not which images stand there
SIZES = [1, 2, 3, 5, 7, 8, 16, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129]  # 1: an image alone
CONVOLUTIONAL = Model.model_validate(
    {
        "optimizer": {"SGD": {"learning_rate": 0.01}},
        "layers": [
            {"Conv2D": {"filters": 12, "kernel_size": 5, "strides": 2, "activation": "relu"}},
            {"BatchNormalization": {}},
            {"Residual": {"layers": [{"Conv2D": {"filters": 12, "kernel_size": 3, "padding": "same"}}]}},
            {"Conv2D": {"filters": 20, "kernel_size": 3, "padding": "same", "activation": "gelu"}},
            {"Conv2D": {"filters": "num_classes", "kernel_size": 1}},
            {"GlobalAveragePooling2D": {}},
            {"Softmax": {}},
        ],
    }
)
MEAN = Model.model_validate(  # the order of sums over 20 channels can depend on the place in a batch
    {
        "optimizer": {"SGD": {"learning_rate": 0.01}},
        "layers": [
            {"Conv2D": {"filters": 20, "kernel_size": 3, "strides": 3}},
            {"Reshape": {"target_shape": [100, 20]}},
            {"GlobalAveragePooling1D": {}},
            {"Dense": {"units": "num_classes", "activation": "softmax"}},
        ],
    }
)


def main() -> None:
    """Compare reordered and smaller batches with a batch of all images, for the models that are named."""
    with tensorflow_setup.tensorflow():
        from cifar10.evaluation import features
        from cifar10.training import models

        models.make_deterministic(seed=0)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
    own = {"convolutional": CONVOLUTIONAL, "mean over places": MEAN}
    entries = {**params.load().models, **own}
    for name, entry in ((name, entries[name]) for name in sys.argv[1:]):
        extract = features.feature_extractor(models.build(name, entry, 10))
        known = extract(random.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8))
        bank, statistics = id_scores.unit(known.features), layer_distances.fit(known.layers)
        layers = id_scores.fit_layers(statistics, statistics.distances(known.layers, len(known.logits)))

        def ask(some: np.ndarray, extract=extract, bank=bank, layers=layers) -> list[np.ndarray]:
            outputs = extract(some)
            scores = [id_scores.knn(outputs, bank), *detector.part_scores(layers, outputs).values()]
            return [outputs.features, outputs.logits, outputs.probabilities, *scores]

        expected = ask(images)
        for order in (np.arange(COUNT)[::-1], random.permutation(COUNT)):
            report(f"{name}, reordered", ask(images[order]), [part[order] for part in expected])
        for size in SIZES:
            starts = range(0, COUNT, size)
            for start in starts[:: -(-len(starts) // PARTS)]:
                some = slice(start, start + size)
                report(f"{name}, by {size}", ask(images[some]), [part[some] for part in expected])
        print(f"{name}: compared")


def report(what: str, found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Print a line if a bit differs."""
    parts = ["features", "logits", "probabilities", "knn", *detector.PARTS]
    for part, ours, theirs in zip(parts, found, expected, strict=True):
        if ours.tobytes() != theirs.tobytes():
            print(f"DIFFERENT: {what}: {part}")


if __name__ == "__main__":
    main()
