"""Baseline notebook: float images in memory, one model after the other, plain Keras `fit`.

This script does not load cifar10, which would pin the arithmetic: TensorFlow runs with its own defaults.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from ruamel.yaml import YAML


def main(folder: Path, epochs: int) -> None:
    """Train the notebook's models, those in `report.reference` of params.yaml, on the images in `folder`."""
    content = YAML(typ="safe").load(Path("params.yaml"))
    images = np.load(folder / "images.npy").astype("float32") / 255
    labels = np.load(folder / "labels.npy")
    for name in content["report"]["reference"]:
        entry = content["models"][name]
        (kind, given), *_ = entry["optimizer"].items()
        model = keras.Sequential([keras.Input((32, 32, 3)), *map(layer, entry["layers"])])
        print(f"{name}: {model.count_params():,} parameters")
        model.compile(
            getattr(keras.optimizers, kind)(**given), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        model.fit(images, labels, epochs=epochs, verbose=2)


def layer(specification: dict | str) -> keras.layers.Layer:
    """Create a layer from `{class: arguments}`, or from the class name alone."""
    (kind, given), *_ = ({specification: {}} if isinstance(specification, str) else specification).items()
    arguments = {name: 10 if value == "num_classes" else value for name, value in (given or {}).items()}
    return getattr(keras.layers, kind)(**arguments)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
