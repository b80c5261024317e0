"""Synthetic outliers: pictures of none of the classes, made of training images and random numbers.

Each function takes training images and a random generator, and returns one picture, uint8 (S, S, 3).
All arithmetic is on integers, so that every processor gives the same bytes.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cifar10.data.dataset import Split

Kind = Callable[[Split, np.random.Generator], np.ndarray]
CANVAS = 96  # pixels, the side of the canvas of drawn outliers, which is then reduced
WAVE = np.round(64 * np.sin(np.arange(256) * np.pi / 128)).astype(np.int64)  # one period
ANGLES = np.arange(16) * np.pi / 8
DIRECTIONS = np.round(16 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)).astype(np.int64)


def blend(training: Split, random: np.random.Generator) -> np.ndarray:
    """Average two images, of different classes if there are any."""
    first, second = random.integers(0, len(training.images), 2)
    others = np.flatnonzero(training.labels != training.labels[first])
    if len(others):
        second = others[second % len(others)]
    return ((training.images[first].astype(np.uint16) + training.images[second]) // 2).astype(np.uint8)


def collage(training: Split, random: np.random.Generator) -> np.ndarray:
    """Show one image in the bright places of a smooth random mask, and another one elsewhere."""
    count = len(training.images)
    first = int(random.integers(0, count))
    second = (first + int(random.integers(1, max(count, 2)))) % count
    mask = np.zeros(1, bool)
    while mask.all() or not mask.any():  # which would show one image alone
        mask = _smooth(training.images.shape[1], int(random.integers(2, 6)), random)[..., :1] > 127
    return np.where(mask, training.images[first], training.images[second])


def tiles(training: Split, random: np.random.Generator) -> np.ndarray:
    """Shuffle the tiles of an image, 2 x 2 to 8 x 8 of them."""
    image, size = training.images[random.integers(0, len(training.images))], training.images.shape[1]
    across = int(random.choice([2, 4, 8]))
    side = size // across
    cut = image[: side * across, : side * across].reshape(across, side, across, side, 3).swapaxes(1, 2)
    order = np.arange(across**2)
    while (order == np.arange(across**2)).all():  # which would show the image itself
        order = random.permutation(across**2)
    mixed = cut.reshape(across**2, side, side, 3)[order]
    whole = image.copy()
    shuffled = mixed.reshape(across, across, side, side, 3).swapaxes(1, 2)
    whole[: side * across, : side * across] = shuffled.reshape(side * across, side * across, 3)
    return whole


def scramble(training: Split, random: np.random.Generator) -> np.ndarray:
    """Sum 8 moved copies of an image with random signs: its texture without its shapes."""
    image = training.images[random.integers(0, len(training.images))].astype(np.int64)
    size = len(image)
    mean = image.sum(axis=(0, 1)) // size**2
    total = np.zeros_like(image)
    for down, right, sign in zip(*random.integers(0, size, (2, 8)), random.choice([-1, 1], 8), strict=True):
        total += sign * np.roll(image - mean, (down, right), (0, 1))
    return np.clip(mean + total * 3 // 8, 0, 255).astype(np.uint8)


def colours(training: Split, random: np.random.Generator) -> np.ndarray:
    """Blend random colours smoothly."""
    return _smooth(training.images.shape[1], int(random.integers(2, 9)), random)


def noise(training: Split, random: np.random.Generator) -> np.ndarray:
    """Add noise to smooth colours; grey noise half of the time."""
    size = training.images.shape[1]
    base = _smooth(size, int(random.integers(1, 5)), random).astype(np.int64)
    strength, channels = int(random.integers(10, 91)), int(random.choice([1, 3]))
    sums = random.integers(-100, 101, (4, size, size, channels)).sum(axis=0)  # nearly normal, deviation 116
    return np.clip(base + strength * sums // 116, 0, 255).astype(np.uint8)


def waves(training: Split, random: np.random.Generator) -> np.ndarray:
    """Mix two colours by up to three waves, with some noise."""
    size = training.images.shape[1]
    down, right = np.mgrid[:size, :size]
    height = np.zeros((size, size), np.int64)
    for _ in range(int(random.integers(1, 4))):
        (across, along), frequency, start = (
            DIRECTIONS[random.integers(0, 16)],
            int(random.integers(6, 100)),
            int(random.integers(0, 256)),
        )
        height += WAVE[(frequency * (across * right + along * down) // 16 + start) % 256]
    first, second = random.integers(0, 256, (2, 3))
    share = (height[..., np.newaxis] + 192) * 256 // 384
    grain = random.integers(-1, 2, (size, size, 1)) * random.integers(0, 26)
    return np.clip((first * share + second * (256 - share)) // 256 + grain, 0, 255).astype(np.uint8)


def shapes(training: Split, random: np.random.Generator) -> np.ndarray:
    """Draw up to five ellipses, rectangles, triangles and lines on smooth colours."""
    canvas = Image.fromarray(_smooth(CANVAS, int(random.integers(1, 4)), random))
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(random.integers(1, 6))):
        corners, colour = random.integers(-10, CANVAS + 10, (3, 2)), _colour(random)
        (left, top), (right, bottom) = np.sort(corners[:2], axis=0).tolist()
        match int(random.integers(0, 4)):
            case 0:
                draw.ellipse((left, top, right + 4, bottom + 4), fill=colour)
            case 1:
                draw.rectangle((left, top, right + 4, bottom + 4), fill=colour)
            case 2:
                draw.polygon([(x, y) for x, y in corners.tolist()], fill=colour)
            case _:
                draw.line(corners[:2].ravel().tolist(), fill=colour, width=int(random.integers(2, 12)))
    blurred = canvas.filter(ImageFilter.GaussianBlur(int(random.integers(0, 7))))
    return _reduced(blurred, training.images.shape[1])


def strokes(training: Split, random: np.random.Generator) -> np.ndarray:
    """Draw up to three winding strokes, as of handwriting, on one colour."""
    canvas, ink = Image.new("RGB", (CANVAS, CANVAS), _colour(random)), _colour(random)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(random.integers(1, 4))):
        points, direction = [random.integers(8, CANVAS - 8, 2)], int(random.integers(0, 16))
        for turn in random.integers(-3, 4, int(random.integers(4, 14))):
            direction = (direction + turn) % 16
            points.append(np.clip(points[-1] + DIRECTIONS[direction] * 14 // 16, 4, CANVAS - 4))
        line = [(int(x), int(y)) for x, y in points]
        draw.line(line, fill=ink, width=int(random.integers(3, 14)), joint="curve")
    return _reduced(canvas, training.images.shape[1])


KINDS: tuple[Kind, ...] = (blend, collage, tiles, scramble, colours, noise, waves, shapes, strokes)


def _smooth(size: int, cells: int, random: np.random.Generator) -> np.ndarray:
    """Enlarge cells x cells random colours to uint8 (size, size, 3)."""
    coarse = Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = random.integers(0, 256, 3).tolist()
    return red, green, blue


def _reduced(canvas: Image.Image, size: int) -> np.ndarray:
    return np.asarray(canvas.resize((size, size), Image.Resampling.BOX))
