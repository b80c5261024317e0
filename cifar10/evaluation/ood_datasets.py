"""OOD datasets for measuring a detector, and pseudo-OOD images for choosing its score."""

from pathlib import Path

import numpy as np
import skimage
from PIL import Image
from sklearn import datasets

from cifar10.data import images
from cifar10.data.images import SIZE

CROPS = 100  # number of crops of each photograph and texture
SMALLEST = 96  # pixels, the side of the smallest crop
DATA = Path(skimage.__file__).parent / "data"
TILE = 8  # pixels, the side of a tile of a puzzle

# Files of scikit-image's package. Left out, because they show a class or something similar: chelsea (cat),
# horse, rocket, the astronaut (with a space shuttle), both motorcycles.
TEXTURES = ("brick.png", "grass.png", "gravel.png")
PHOTOGRAPHS = (
    "camera.png",
    "coffee.png",
    "coins.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "retina.jpg",
)
TEMPLE = (0, 0, 330, 427)  # left, top, right, bottom in scikit-learn's china.jpg; cuts off the boats


def load(source: str) -> dict[str, np.ndarray]:
    """Load the OOD datasets: images that show none of CIFAR-10's classes.

    Digits are left out if the models are trained on digits. Crops of one picture are similar, and a dataset
    of many images can come from few pictures.

    Args:
        source: `data.source` of params.yaml.

    Returns:
        uint8 (N, 32, 32, 3) by dataset.
    """
    random = np.random.default_rng(0)
    digits = {} if source == "digits" else {"digits": _enlarged(datasets.load_digits().images / 16)}
    textures = [_shipped(name) for name in TEXTURES]
    photographs = [_shipped(name) for name in PHOTOGRAPHS]
    temple, flower = (
        Image.fromarray(datasets.load_sample_image(f"{name}.jpg")) for name in ("china", "flower")
    )
    return digits | {
        "faces": _enlarged(skimage.data.lfw_subset()[:100]),  # the other 100 are not faces
        "photographs": _crops([*photographs, temple.crop(TEMPLE), flower], random),
        "textures": _crops(textures, random),
        "noise": random.integers(0, 256, (1000, SIZE, SIZE, 3), np.uint8),
    }


def person() -> np.ndarray:
    """Return scikit-image's astronaut, a portrait, as `images.read` returns it: uint8 (32, 32, 3)."""
    return images.read(DATA / "astronaut.png")


def pseudo_ood(images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Make OOD images from ID images. They do not resemble the OOD datasets of `load`.

    Args:
        images: uint8 (N, 32, 32, 3).
        labels: int (N,).

    Returns:
        uint8 (M, 32, 32, 3) by kind: `blends`, means of two images of different classes; `puzzles`, images
        with their 8x8 tiles shuffled; `clouds`, smooth random colours.
    """
    random = np.random.default_rng(0)
    partner = random.permutation(len(images))
    differ = labels != labels[partner]
    blends = (images[differ].astype(np.uint16) + images[partner[differ]]) // 2
    coarse = random.integers(0, 256, (len(images), 4, 4, 3), np.uint8)
    clouds = [
        np.asarray(Image.fromarray(colours).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        for colours in coarse
    ]
    return {
        "blends": blends.astype(np.uint8),
        "puzzles": _puzzles(images, random),
        "clouds": np.array(clouds),
    }


def _puzzles(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shuffle the tiles of each image."""
    across = SIZE // TILE
    tiles = (
        images.reshape(-1, across, TILE, across, TILE, 3).swapaxes(2, 3).reshape(-1, across**2, TILE, TILE, 3)
    )
    shuffled = random.permuted(np.tile(np.arange(across**2), (len(images), 1)), axis=1)
    mixed = np.take_along_axis(tiles, shuffled[..., None, None, None], axis=1)
    return mixed.reshape(-1, across, across, TILE, TILE, 3).swapaxes(2, 3).reshape(images.shape)


def _shipped(name: str) -> Image.Image:
    """Open a picture of scikit-image's package."""
    with Image.open(DATA / name) as image:
        return image.convert("RGB")


def _enlarged(grey: np.ndarray) -> np.ndarray:
    """Scale small grey images, float (N, H, W) from 0 to 1, to uint8 (N, 32, 32, 3)."""
    pictures = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in grey]
    return np.array([picture.resize((SIZE, SIZE)).convert("RGB") for picture in pictures])


def _crops(pictures: list[Image.Image], random: np.random.Generator) -> np.ndarray:
    """Cut random squares of different sizes out of each picture: uint8 (N, 32, 32, 3)."""
    found = []
    for picture in pictures:
        for _ in range(CROPS):
            side = int(random.integers(SMALLEST, min(picture.size), endpoint=True))
            left, top = (int(random.integers(0, length - side, endpoint=True)) for length in picture.size)
            found.append(picture.resize((SIZE, SIZE), box=(left, top, left + side, top + side)))
    return np.array(found)
