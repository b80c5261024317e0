"""Read the content of a picture as RGB of a size: choose the decoder, check the limits, collect warnings."""

import contextlib
import threading
from collections.abc import Sequence

import numpy as np
from PIL import Image

from cifar10.data.decoding import formats, limits, modes, opening, repair, scaling, tiff
from cifar10.data.decoding.opening import UnreadableError
from cifar10.data.decoding.scaling import SIZE, Fit, Size

Read = tuple[np.ndarray, list[str]]  # uint8 (H, W, 3), and warnings
_one_large = threading.Lock()  # large pictures are decoded one at a time


def read(content: bytes, fit: Fit, name: str, max_pixels: int, size: Size = SIZE) -> Read:
    """Read a picture.

    Args:
        content: of the file.
        fit: as for `images.decode`.
        name: of the file; its suffix tells raw files from other TIFF files.
        max_pixels: upper limit.
        size: height and width of the result.

    Raises:
        Exception: it cannot be read; many kinds, as Pillow raises them. UnreadableError has a full reason.
    """
    if formats.is_raw(content, name):
        raise UnreadableError(formats.CAMERA)
    try:
        image = opening.opened(content)
    except Image.DecompressionBombError:
        raise
    except Exception:
        found = tiff.read(content, max_pixels)
        if found is None:
            raise
        image, orientation, warning = found
        return _picture(scaling.upright(image, orientation), fit, size, [warning])
    with image:
        if not (image.width and image.height):
            raise UnreadableError(f"a picture of {image.width}x{image.height} pixels")
        if image.width * image.height > (limit := limits.pixels(image, len(content), max_pixels)):
            raise UnreadableError(f"more than {limit:,} pixels")
        if formats.is_raw_inside(image):
            raise UnreadableError(formats.CAMERA)
        large = image.width * image.height > scaling.LARGE
        with _one_large if large else contextlib.nullcontext():
            return _converted(image, content, fit, size)


def _converted(source: Image.Image, content: bytes, fit: Fit, size: Size) -> Read:
    image, missing = opening.loaded(source, content)
    orientation = repair.orientation(image)

    def reopened() -> Image.Image:
        again = opening.opened(content)
        opening.prepare(again)
        return again

    bright = modes.dark_colours(image, reopened, lambda whole: scaling.shrunk(whole, fit, size))
    image = scaling.upright(bright[0] if bright else scaling.shrunk(image, fit, size), orientation)
    image, guess = modes.rgb(image, source)
    return _picture(image, fit, size, [missing, bright[1] if bright else guess])


def _picture(image: Image.Image, fit: Fit, size: Size, warnings: Sequence[str | None]) -> Read:
    return np.array(scaling.fitted(image, fit, size)), [text for text in warnings if text]
