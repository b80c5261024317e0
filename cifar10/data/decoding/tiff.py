"""Read TIFF files of number formats that Pillow lacks, such as colours of 32-bit floats, with tifffile."""

import io
import logging

import numpy as np
from PIL import Image

from cifar10.data.decoding import brightness, formats, limits, modes, repair
from cifar10.data.decoding.opening import UnreadableError

COLOURS = (1, 3, 4)  # values per pixel: grey, RGB, and RGB with one that is not used


def read(content: bytes, max_pixels: int) -> tuple[Image.Image, int, str | None] | None:
    """Read the first picture of a TIFF.

    Returns:
        RGB, the Exif orientation and, if its brightness is a guess, a warning; None if it is no TIFF, or one
        that tifffile cannot read either.

    Raises:
        UnreadableError: it has too many pixels.
    """
    if not content.startswith(formats.TIFF):
        return None
    import tifffile  # here: few pictures need it

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            page = file.pages.first
            height, width, *rest = page.shape
            if height * width > max_pixels or page.nbytes > limits.MAX_TIFF_BYTES:
                raise UnreadableError(f"more than {max_pixels:,} pixels")
            samples = rest[0] if rest else 1
            if len(rest) > 1 or samples not in COLOURS or not page.size or page.photometric not in (0, 1, 2):
                return None
            said = {code: tag.value for tag in page.tags if (code := tag.code)}
            values = page.asarray(maxworkers=1)
    except UnreadableError:
        raise
    except Exception:  # many kinds of errors on damaged files
        return None
    values = values.reshape(height, width, samples)[..., :3]
    bits = None if values.dtype.kind == "f" else 8 * values.dtype.itemsize - (values.dtype.kind == "i")
    white = modes.number(said, modes.LARGEST_SAMPLE) or modes.number(said, modes.LARGEST)
    inverted = modes.number(said, modes.PHOTOMETRIC) == modes.WHITE_IS_ZERO
    scaled, warning = brightness.to_bytes(values, bits, white, inverted)
    orientation = modes.number(said, repair.ORIENTATION)
    turn = int(orientation) if orientation and orientation in range(1, 9) else 1
    return Image.fromarray(np.broadcast_to(scaled, (height, width, 3)).copy()), turn, warning
