"""The notebook's way with new pictures: load the whole model, then read and predict one after the other."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import startup


def main(model: str, folder: Path) -> None:
    """Print the class of every picture."""
    with startup.tensorflow():
        import keras

    network = keras.models.load_model(model)
    for path in sorted(folder.iterdir()):
        image = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(32, 32)))
        scores = network.predict(image.astype(np.uint8)[None], verbose=0)
        print(path.name, scores[0].argmax())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
