"""Write a folder of pictures: squares of photographs from scikit-image and scikit-learn, one class each.

Training pictures come from the left 60 % of a photograph and test pictures from its right 30 %, so that they
share no pixel. Each square is cut at a random place, with a random side of 64 to 96 pixels, and is scaled to
64 pixels.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, progress

# isort: split
import numpy as np
import skimage
import sklearn
from PIL import Image

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets/images"
PHOTOGRAPHS = [
    *(SKIMAGE / name for name in ("astronaut.png", "brick.png", "chelsea.png", "coffee.png", "grass.png")),
    *(SKIMAGE / name for name in ("gravel.png", "hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png")),
    *(SKIMAGE / name for name in ("retina.jpg", "rocket.jpg")),
    *(SKLEARN / name for name in ("china.jpg", "flower.jpg")),
]
SIDE, LARGEST = 64, 96
PARTS = {"train": (0.0, 0.6), "test": (0.7, 1.0)}  # of the width


def main() -> None:
    """Write the class folders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="to write; it must not exist")
    parser.add_argument("--train", type=int, default=500, help="pictures per class (default: 500)")
    parser.add_argument("--test", type=int, default=100, help="pictures per class (default: 100)")
    asked = parser.parse_args()
    if asked.folder.exists():
        raise SystemExit(f"error: {asked.folder}: expected a new folder, found one that exists")
    random = np.random.default_rng(0)
    for photograph in progress.bar(iterable=PHOTOGRAPHS, desc="photographs"):
        for split, count in (("train", asked.train), ("test", asked.test)):
            write(photograph, asked.folder / split / photograph.stem, PARTS[split], count, random)


def write(
    photograph: Path, folder: Path, part: tuple[float, float], count: int, random: np.random.Generator
) -> None:
    """Write `count` squares of the part of a photograph between two shares of its width."""
    folder.mkdir(parents=True)
    with Image.open(photograph) as opened:
        image = opened.convert("RGB")
    left, right = (round(share * image.width) for share in part)
    for number in range(count):
        side = int(random.integers(SIDE, LARGEST, endpoint=True))
        x = int(random.integers(left, right - side, endpoint=True))
        y = int(random.integers(image.height - side, endpoint=True))
        square = image.crop((x, y, x + side, y + side)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        square.save(folder / f"{number:03}.png")


if __name__ == "__main__":
    errors.run(main)
