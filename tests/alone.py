"""Print the outputs that depend on other images of a batch: `python tests/alone.py INSTRUCTIONS...`.

INSTRUCTIONS are those of tests/elsewhere.py. All but `none` share one start of TensorFlow, which can be that
of the warm programs: oneDNN chooses its kernels when it first computes, in a fork for each instruction set.
"""

import hashlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params
from cifar10.evaluation import layer_distances, ood_scores
from cifar10.params import Model
from cifar10.training import tensorflow_setup
from tests import elsewhere

# isort: split
import numpy as np

COUNT = 130
PARTS = 2  # asked of each size: it is the size and the place that decide, not which images stand there
SIZES = [1, 2, 3, 7, 16, 33, 63, 65, 129]  # 1: an image alone; all inference has batches of 64 images
LARGE = ["model_3"]  # takes 3 s of a core for all sizes, which decide nothing in a padded batch: asked of 1
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
OWN = {"convolutional": CONVOLUTIONAL, "mean over places": MEAN}


def main() -> None:
    """Compare reordered and smaller batches with a batch of all images, for each instruction set."""
    elsewhere.pretend(sys.argv[1])
    with tensorflow_setup.tensorflow():
        from cifar10.evaluation import features  # noqa: F401 - the forks have TensorFlow from here
    from sklearn.covariance import ledoit_wolf  # noqa: F401 - and scikit-learn

    for instructions in sys.argv[1:]:
        sys.stdout.flush()
        if child := os.fork():
            assert os.waitpid(child, 0)[1] == 0, instructions
            continue
        elsewhere.pretend(instructions)
        compare(instructions)
        sys.stdout.flush()
        os._exit(0)


def compare(instructions: str) -> None:
    """Compare with one instruction set; the first line is the SHA-256 of outputs."""
    from cifar10.evaluation import features
    from cifar10.training import models

    models.make_deterministic(seed=0)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
    chosen = params.load().models
    entries = {name: chosen[name] for name in ("model_0", "model_2")} | OWN  # model_1 has model_2's layers
    entries |= {"model_3": chosen["model_3"]} if instructions == "AVX2" else {}  # large; computes with AVX2
    for name, entry in entries.items():
        extract = features.feature_extractor(models.build(name, entry, 10))
        known = extract(random.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8))
        bank, statistics = ood_scores.unit(known.features), layer_distances.fit(known.layers)
        layers = ood_scores.fit_layers(statistics, statistics.distances(known.layers, len(known.logits)))

        def ask(some: np.ndarray, extract=extract, bank=bank, layers=layers) -> list[np.ndarray]:
            outputs = extract(some)
            scores = [ood_scores.knn(outputs, bank), *ood_scores.part_scores(layers, outputs).values()]
            return [outputs.features, outputs.logits, outputs.probabilities, *scores]

        expected = ask(images)
        if name == "model_0":  # the first: every instruction set starts with these images and weights
            print(f"{instructions}: {hashlib.sha256(expected[0]).hexdigest()}")
        for order in (np.arange(COUNT)[::-1], random.permutation(COUNT)):
            report(f"{name}, reordered", ask(images[order]), [part[order] for part in expected])
        for size in SIZES[:1] if name in LARGE else SIZES:
            starts = range(0, COUNT, size)
            for start in starts[:: -(-len(starts) // PARTS)]:
                some = slice(start, start + size)
                report(f"{name}, by {size}", ask(images[some]), [part[some] for part in expected])
        print(f"{instructions}: {name}: compared")


def report(what: str, found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Print a line if a bit differs."""
    parts = ["features", "logits", "probabilities", "knn", *ood_scores.PARTS]
    for part, ours, theirs in zip(parts, found, expected, strict=True):
        if ours.tobytes() != theirs.tobytes():
            print(f"DIFFERENT: {what}: {part}")


if __name__ == "__main__":
    main()
