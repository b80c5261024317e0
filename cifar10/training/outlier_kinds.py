"""Synthetic outliers: pictures of none of the classes, made of training images and random numbers.

Each function takes training images and a random generator, and returns one picture, uint8 (H, W, 3).
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
        mask = _smooth(_size(training), int(random.integers(2, 6)), random)[..., :1] > 127
    return np.where(mask, training.images[first], training.images[second])


def tiles(training: Split, random: np.random.Generator) -> np.ndarray:
    """Shuffle the tiles of an image, 2 x 2 to 8 x 8 of them."""
    image, size = training.images[random.integers(0, len(training.images))], _size(training)
    across = int(random.choice([2, 4, 8]))
    high, wide = (side // across for side in size)
    order = np.arange(across**2)
    while (order == np.arange(across**2)).all():  # which would show the image itself
        order = random.permutation(across**2)
    whole = image.copy()
    cut = whole[: high * across, : wide * across]
    parts = cut.reshape(across, high, across, wide, 3).swapaxes(1, 2).reshape(across**2, high, wide, 3)
    mixed = parts[order]
    cut[:] = mixed.reshape(across, across, high, wide, 3).swapaxes(1, 2).reshape(cut.shape)
    return whole


def scramble(training: Split, random: np.random.Generator) -> np.ndarray:
    """Sum 8 moved copies of an image with random signs: its texture without its shapes."""
    image = training.images[random.integers(0, len(training.images))].astype(np.int64)
    height, width = _size(training)
    mean = image.sum(axis=(0, 1)) // (height * width)
    total = np.zeros_like(image)
    square = height == width  # one draw gives other numbers than two
    moves = random.integers(0, height if square else [[height], [width]], (2, 8))
    for down, right, sign in zip(*moves, random.choice([-1, 1], 8), strict=True):
        total += sign * np.roll(image - mean, (down, right), (0, 1))
    return np.clip(mean + total * 3 // 8, 0, 255).astype(np.uint8)


def colours(training: Split, random: np.random.Generator) -> np.ndarray:
    """Blend random colours smoothly."""
    return _smooth(_size(training), int(random.integers(2, 9)), random)


def noise(training: Split, random: np.random.Generator) -> np.ndarray:
    """Add noise to smooth colours; grey noise half of the time."""
    size = _size(training)
    base = _smooth(size, int(random.integers(1, 5)), random).astype(np.int64)
    strength, channels = int(random.integers(10, 91)), int(random.choice([1, 3]))
    sums = random.integers(-100, 101, (4, *size, channels)).sum(axis=0)  # nearly normal, deviation 116
    return np.clip(base + strength * sums // 116, 0, 255).astype(np.uint8)


def waves(training: Split, random: np.random.Generator) -> np.ndarray:
    """Mix two colours by up to three waves, with some noise."""
    size = _size(training)
    down, right = np.indices(size)
    height = np.zeros(size, np.int64)
    for _ in range(int(random.integers(1, 4))):
        (across, along), frequency, start = (
            DIRECTIONS[random.integers(0, 16)],
            int(random.integers(6, 100)),
            int(random.integers(0, 256)),
        )
        height += WAVE[(frequency * (across * right + along * down) // 16 + start) % 256]
    first, second = random.integers(0, 256, (2, 3))
    share = (height[..., np.newaxis] + 192) * 256 // 384
    grain = random.integers(-1, 2, (*size, 1)) * random.integers(0, 26)
    return np.clip((first * share + second * (256 - share)) // 256 + grain, 0, 255).astype(np.uint8)


def shapes(training: Split, random: np.random.Generator) -> np.ndarray:
    """Draw up to five ellipses, rectangles, triangles and lines on smooth colours."""
    canvas = Image.fromarray(_smooth((CANVAS, CANVAS), int(random.integers(1, 4)), random))
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
    return _reduced(blurred, _size(training))


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
    return _reduced(canvas, _size(training))


KINDS: tuple[Kind, ...] = (blend, collage, tiles, scramble, colours, noise, waves, shapes, strokes)


def _size(training: Split) -> tuple[int, int]:
    height, width = training.images.shape[1:3]
    return height, width


def _smooth(size: tuple[int, int], cells: int, random: np.random.Generator) -> np.ndarray:
    """Enlarge cells x cells random colours to uint8 (H, W, 3)."""
    coarse = Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8))
    return np.asarray(coarse.resize(size[::-1], Image.Resampling.BICUBIC))


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = random.integers(0, 256, 3).tolist()
    return red, green, blue


def _reduced(canvas: Image.Image, size: tuple[int, int]) -> np.ndarray:
    way = Image.Resampling.BOX if max(size) <= CANVAS else Image.Resampling.BICUBIC
    return np.asarray(canvas.resize(size[::-1], way))
