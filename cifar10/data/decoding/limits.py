"""Limits on the file and the pixels of a picture, so that one picture takes less than 1 GB."""

from PIL import Image

MAX_BYTES = 300_000_000  # of a file
MAX_TIFF_BYTES = 400_000_000  # of the values of a TIFF that Pillow does not read, unpacked
MAX_PIXELS = 300_000_000
ALWAYS = 89_478_485  # pixels allowed in every format but those of `WHOLE`; Pillow's own limit
MEMORY = 900_000_000  # bytes for the file and its pixels
BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # per pixel; others: 4
PROGRESSIVE = 6  # bytes per pixel: the coefficients of a progressive JPEG stay in memory
WHOLE = {"AVIF": 10, "HEIF": 12, "JPEG2000": 20, "WEBP": 16}  # bytes per pixel: decoders without strips


def pixels(image: Image.Image, size: int, most: int) -> int:
    """Return the limit for an opened picture.

    Args:
        image: its pixels are not loaded yet.
        size: of the file, bytes.
        most: upper limit.
    """
    if image.format in WHOLE:
        return min(most, MEMORY // WHOLE[image.format])
    each = BYTES.get(image.mode, 4)
    if image.format in ("JPEG", "MPO"):  # decoded at a fraction of its size
        each = PROGRESSIVE if image.info.get("progressive") else 1
    return min(most, max(ALWAYS, (MEMORY - size) // each))
