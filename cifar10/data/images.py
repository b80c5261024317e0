"""Read pictures as model inputs: uint8 (32, 32, 3), RGB."""

import dataclasses
import io
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageCms, ImageOps

from cifar10.errors import UserError

SIZE = 32  # pixels, height and width
GREY = (128, 128, 128, 255)  # RGBA, behind transparent pixels and in borders
MAX_PIXELS = 89_478_485  # Pillow's limit: 256 MiB of RGB
MAX_BYTES = 300_000_000  # more than MAX_PIXELS uncompressed
THREADS = 4  # maximum number of pictures decoded at once
REFUSED = {"EPS"}  # a program; Pillow runs an interpreter for it

Fit = Literal["crop", "pad"]


@dataclasses.dataclass(frozen=True)
class Images:
    """A data set: images, uint8 (N, 32, 32, 3), and labels, int64 (N,): indices into `class_names`."""

    class_names: list[str]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


class PictureError(UserError):
    """An unreadable picture; the message has its path and the reason."""


def read(
    source: Path | bytes,
    fit: Fit = "crop",
    name: str = "",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> np.ndarray:
    """Read a picture of any size and mode, upright, scaled to 32x32 with antialiasing.

    An RGB picture of 32x32 pixels is returned unchanged. Of several frames, the first one is read. Safe for
    untrusted files: the unpacked size is bounded and no other program runs.

    Args:
        source: path or content of a file.
        fit: `crop` keeps the central square, `pad` keeps the whole picture and adds grey borders.
        name: name of the picture in errors, by default its path.
        max_pixels: limit on the pixels; Pillow's own limit applies as well.
        max_bytes: limit on the file size.

    Returns:
        uint8 (32, 32, 3).

    Raises:
        PictureError: the file is missing, empty, damaged, not a picture, or over a limit.
    """
    name = name or (str(source) if isinstance(source, Path) else "picture")
    try:
        content = source if isinstance(source, bytes) else _content(source, max_bytes)
        if len(content) > max_bytes:
            raise PictureError(f"more than {max_bytes / 1e6:,.0f} MB")
        if not content:
            raise PictureError("the file is empty")
        return _unpack(content, fit, min(max_pixels, Image.MAX_IMAGE_PIXELS or max_pixels))
    except Exception as error:  # Pillow raises many kinds of errors on damaged files
        raise PictureError(f"{name}: {_reason(error)}") from None


def read_all(paths: Sequence[Path], fit: Fit = "crop") -> Iterator[np.ndarray | PictureError]:
    """Read pictures on several threads; yield each one, or its error, in order."""

    def attempt(path: Path) -> np.ndarray | PictureError:
        try:
            return read(path, fit)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        yield from pool.map(attempt, paths)


def _content(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max_bytes + 1)  # one byte more reveals a file over the limit


def _unpack(content: bytes, fit: Fit, max_pixels: int) -> np.ndarray:
    Image.init()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about harmless damage, and about size, which is checked here
        with Image.open(
            io.BytesIO(content), formats=[kind for kind in Image.ID if kind not in REFUSED]
        ) as image:
            if image.width * image.height > max_pixels:
                raise PictureError(f"more than {max_pixels:,} pixels")
            image.draft(None, (4 * SIZE, 4 * SIZE))  # decodes a large JPEG at a fraction of its size
            return np.array(_small(ImageOps.exif_transpose(image), fit))


def _small(image: Image.Image, fit: Fit) -> Image.Image:
    """Scale to 32x32 RGB; transparent pixels become neutral grey."""
    image = _rgb(image)
    if fit == "crop":
        image = ImageOps.fit(image, (SIZE, SIZE))
    else:
        image = ImageOps.pad(image, (SIZE, SIZE), color=GREY if image.mode == "RGBA" else GREY[:3])
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, GREY), image)
    return image.convert("RGB")


def _reason(error: Exception) -> str:
    match error:
        case PictureError():
            return str(error)
        case Image.DecompressionBombError():
            return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        case Image.UnidentifiedImageError():
            return "not a picture in a known format"
        case OSError(strerror=str(text)):
            return text
        case _:
            return " ".join(str(error).split()) or type(error).__name__


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to 8-bit RGB, or to RGBA if a pixel may be transparent."""
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled(np.asarray(image), image.mode).convert("RGB")
    if image.mode == "LAB":
        profiles = (ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"))
        converted = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
        assert converted is not None  # noqa: S101  (None only with inPlace)
        return converted
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _scaled(grey: np.ndarray, mode: str) -> Image.Image:
    """Scale grey values to 0..255: integers from 0..65535, floats from 0..1 or, if any exceeds 1, 0..255."""
    values = np.nan_to_num(grey.astype(np.float32))
    white = 65535 if mode != "F" else 1 if values.max() <= 1 else 255
    values *= np.float32(255 / white)
    return Image.fromarray(np.rint(values, out=values).clip(0, 255, out=values).astype(np.uint8))
