"""Classify new pictures as the baseline notebook does: load the model, then predict one picture at a time.

This script does not load cifar10, which would pin the arithmetic: TensorFlow runs with its own defaults.
"""

import sys
from pathlib import Path

import keras
import numpy as np


def main(model: str, folder: Path) -> None:
    """Print the class of every picture."""
    network = keras.models.load_model(model)
    for path in sorted(folder.iterdir()):
        image = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(32, 32)))
        scores = network.predict(image.astype(np.uint8)[None], verbose=0)
        print(path.name, scores[0].argmax())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
