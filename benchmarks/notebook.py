"""The notebook's way: float images in memory, the models one after the other, plain Keras `fit`."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params, startup


def main(folder: Path, epochs: int) -> None:
    """Train every model of params.yaml on the images in `folder`."""
    with startup.tensorflow():
        import keras

    images = np.load(folder / "images.npy").astype("float32") / 255
    labels = np.load(folder / "labels.npy")
    for entry in params.load().models.values():
        layers = [
            getattr(keras.layers, kind)(**arguments(given))
            for spec in entry.layers
            for kind, given in spec.items()
        ]
        (kind, given), *_ = entry.optimizer.items()
        model = keras.Sequential([keras.Input((32, 32, 3)), *layers])
        model.compile(
            getattr(keras.optimizers, kind)(**given), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        model.fit(images, labels, epochs=epochs, verbose=2)


def arguments(given: dict) -> dict:
    """Put the number of classes in."""
    return {name: 10 if value == params.NUM_CLASSES else value for name, value in given.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
