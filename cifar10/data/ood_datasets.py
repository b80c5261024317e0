"""OOD datasets: images that show none of the classes, to measure OOD detectors with."""

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from PIL import Image

from cifar10 import files, paths, progress
from cifar10.data import images
from cifar10.data.images import SIZE, Size

NOISE = 1000  # images
CROPS = 100  # number of crops of each photograph and texture
MOST = 150_000_000  # bytes of noise, or of all crops; of large images there are fewer
SMALLEST = 96  # pixels, the side of the smallest crop
DATA = Path(skimage.__file__).parent / "data"
PERSON = DATA / "astronaut.png"  # a portrait

# Files of scikit-image's package. Left out, because they show a class or something similar: chelsea (cat),
# horse, rocket, the astronaut (with a space shuttle), both motorcycles.
TEXTURES = ("brick.png", "grass.png", "gravel.png")
SAMPLES = ("china.jpg", "flower.jpg")  # of scikit-learn's package
PHOTOGRAPHS = (
    "camera.png",
    "coffee.png",
    "coins.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "retina.jpg",
    *SAMPLES,
)
CROPPED = {"photographs": PHOTOGRAPHS, "textures": TEXTURES}  # datasets of crops: their pictures, in order
TEMPLE = (0, 0, 330, 427)  # left, top, right, bottom in scikit-learn's china.jpg; cuts off the boats

# Files of foolbox's package: test images of CIFAR-100 and of Fashion-MNIST, scaled to the size of the images.
FOOLBOX = "foolbox"
SMALL = {"cifar100": "cifar100_*.png", "clothes": "fashionMNIST_*.png"}
ROOSTER = "cifar100_14_40.png"  # left out: a lamp in the shape of a bird


def save(source: str, exclude: Sequence[str] = (), size: Size = SIZE) -> None:
    """Write the OOD datasets, the pictures they are cut out of, and the person's picture to data/processed.

    Args:
        source: `data.source` of params.yaml.
        exclude: `data.ood_exclude` of params.yaml, the datasets to leave out; `person` is the picture.
        size: height and width of the images.
    """
    # all are made: the crops of one dataset depend on those before it
    arrays: dict[str, Any] = {name: made for name, made in make(source, size).items() if name not in exclude}
    with files.replacing(paths.OOD) as beside:
        np.savez(beside, allow_pickle=False, **arrays)
    sources = {name: counts for name, counts in crops_by_picture(size).items() if name in arrays}
    files.write_json(paths.OOD_PICTURES, sources)
    with files.replacing(paths.PERSON) as beside:
        empty = np.empty((0, *size, 3), np.uint8)
        np.save(beside, empty if "person" in exclude else images.read(PERSON, size))


def crops_by_picture(size: Size = SIZE) -> dict[str, dict[str, int]]:
    """Return the number of crops by picture, of each dataset of crops; the order is that of the crops.

    Args:
        size: height and width of the crops; of large ones there are fewer.
    """
    pictures = sum(map(len, CROPPED.values()))
    count = min(CROPS, MOST // math.prod((*size, 3)) // pictures)
    return {name: dict.fromkeys(pictures, count) for name, pictures in CROPPED.items()}


def make(source: str, size: Size = SIZE) -> dict[str, np.ndarray]:
    """Make the OOD datasets from pictures in the packages of scikit-image, scikit-learn and foolbox.

    Digits are left out if the models are trained on digits, and SMALL without foolbox. Crops of one picture
    are similar, and a dataset of many images can come from few pictures.

    Args:
        source: `data.source` of params.yaml.
        size: height and width of the images.

    Returns:
        uint8 (N, H, W, 3) by dataset.
    """
    from sklearn import datasets  # here: loading takes a second

    random = np.random.default_rng(0)
    digits = {} if source == "digits" else {"digits": _enlarged(datasets.load_digits().images / 16, size)}
    samples = {name: Image.fromarray(datasets.load_sample_image(name)) for name in SAMPLES}
    samples["china.jpg"] = samples["china.jpg"].crop(TEMPLE)
    crops = {}
    for name, counts in crops_by_picture(size).items():
        (count,) = {*counts.values()}
        crops[name] = _crops([samples.get(each) or _shipped(each) for each in counts], random, count, size)
    noise = min(NOISE, MOST // math.prod((*size, 3)))
    return digits | {
        "faces": _enlarged(skimage.data.lfw_subset()[:100], size),  # the other 100 are not faces
        **crops,
        "noise": random.integers(0, 256, (noise, *size, 3), np.uint8),
        **_small(size),
    }


def _small(size: Size) -> dict[str, np.ndarray]:
    """Scale the pictures of SMALL to uint8 (N, H, W, 3) by dataset; {} if foolbox is not installed."""
    found = importlib.util.find_spec(FOOLBOX)  # does not import it, which takes a second
    if found is None or not found.submodule_search_locations:
        names = " and ".join(SMALL)
        progress.log(f"OOD datasets without {names}: foolbox is not installed: run `pip install foolbox`")
        return {}
    folder = Path(found.submodule_search_locations[0], "data")
    return {
        name: np.array([_scaled(path, size) for path in sorted(folder.glob(some)) if path.name != ROOSTER])
        for name, some in SMALL.items()
    }


def _scaled(path: Path, size: Size) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize(size[::-1]))


def _shipped(name: str) -> Image.Image:
    """Open a picture of scikit-image's package."""
    with Image.open(DATA / name) as image:
        return image.convert("RGB")


def _enlarged(grey: np.ndarray, size: Size) -> np.ndarray:
    """Scale small grey images, float (N, h, w) from 0 to 1, to uint8 (N, H, W, 3)."""
    pictures = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in grey]
    return np.array([picture.resize(size[::-1]).convert("RGB") for picture in pictures])


def _crops(pictures: list[Image.Image], random: np.random.Generator, number: int, size: Size) -> np.ndarray:
    """Cut random squares of different sizes out of each picture: uint8 (N, H, W, 3)."""
    found = []
    for picture in pictures:
        for _ in range(number):
            side = int(random.integers(SMALLEST, min(picture.size), endpoint=True))
            left, top = (int(random.integers(0, length - side, endpoint=True)) for length in picture.size)
            box = (left, top, left + side, top + side)
            found.append(picture.resize(size[::-1], box=box, reducing_gap=3.0))  # four times as fast
    return np.array(found)
