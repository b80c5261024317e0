"""Read pictures as model inputs: uint8 (H, W, 3), RGB. No other module opens a picture from a user."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from cifar10 import names, progress
from cifar10.data.decoding import formats, limits, reading
from cifar10.data.decoding.opening import UnreadableError
from cifar10.data.decoding.scaling import SIZE, Fit, Size
from cifar10.errors import UserError

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "SIZE",
    "Fit",
    "Images",
    "Picture",
    "PictureError",
    "Size",
    "decode",
    "read",
    "read_all",
]

MAX_PIXELS = limits.MAX_PIXELS
MAX_BYTES = limits.MAX_BYTES
THREADS = 4  # maximum number of pictures decoded at once, if nothing else is said
AT_ONCE = 1000  # pictures that wait for a thread

Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS, Image.MAX_IMAGE_PIXELS or 0)  # `limits` is stricter


@dataclasses.dataclass(frozen=True)
class Images:
    """A data set: images, uint8 (N, H, W, 3), and labels, int64 (N,): indices into `class_names`.

    `train_groups`, int64 (N,), numbers groups that validation must not divide; None without groups.
    """

    class_names: list[str]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    train_groups: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture, uint8 (H, W, 3), and warnings, without its name: what is missing or a guess."""

    pixels: np.ndarray
    warnings: list[str]


class PictureError(UserError):
    """An unreadable picture; the message has its name and the reason, in one line."""


def decode(
    source: Path | bytes,
    fit: Fit = "crop",
    name: str = "",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    size: Size = SIZE,
) -> Picture:
    """Read a picture of any size and mode, upright, scaled to a size with antialiasing.

    An RGB picture of that size is returned unchanged. Of several frames, the first one is read. Safe for
    untrusted files: the unpacked size is bounded and no other program runs.

    Args:
        source: path or content of a file.
        fit: `crop` keeps the largest central part with the shape of `size`, `pad` keeps the whole picture
            and adds grey borders.
        name: name of the picture in errors, by default its path.
        max_pixels: limit on the pixels; `limits` lowers it for formats that take more memory.
        max_bytes: limit on the file size.
        size: height and width of the result, in pixels.

    Raises:
        PictureError: the file is missing, empty, damaged, not a picture, or over a limit.
    """
    name = name or _name(source)
    try:
        content = source if isinstance(source, bytes) else _content(source, max_bytes)
        if len(content) > max_bytes:
            raise UnreadableError(f"more than {max_bytes / 1e6:,.0f} MB")
        if not content:
            raise UnreadableError("the file is empty")
        try:
            most = min(max_pixels, Image.MAX_IMAGE_PIXELS or max_pixels)
            return Picture(*reading.read(content, fit, name, most, size))
        except (UnreadableError, MemoryError, Image.DecompressionBombError):
            raise
        except Exception as error:  # Pillow raises many kinds of errors on damaged files
            damaged = "damaged or cut off: " if formats.is_damaged(content) else ""
            raise UnreadableError(formats.named(content) or f"{damaged}{_reason(error)}") from None
    except Exception as error:
        raise PictureError(f"{names.shown(name)}: {_reason(error)}") from None


def read(source: Path | bytes, size: Size = SIZE) -> np.ndarray:
    """Read a picture as `decode` does, print its warnings; return uint8 (H, W, 3)."""
    picture = decode(source, size=size)
    for text in picture.warnings:
        warn(_name(source), text)
    return picture.pixels


def read_all(
    paths: Sequence[Path], fit: Fit = "crop", size: Size = SIZE, workers: int = THREADS
) -> Iterator[Picture | PictureError]:
    """Read pictures on several threads; yield each one, or its error, in order.

    Pillow lets other threads work while it decodes or scales.
    """

    def attempt(path: Path) -> Picture | PictureError:
        try:
            return decode(path, fit, size=size)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(min(workers, os.cpu_count() or 1)) as pool:
        for start in range(0, len(paths), AT_ONCE):
            yield from pool.map(attempt, paths[start : start + AT_ONCE])


def warn(name: str, text: str) -> None:
    """Print a warning about a picture on standard error."""
    progress.log(f"warning: {names.shown(name)}: {text}")


def _name(source: Path | bytes) -> str:
    return str(source) if isinstance(source, Path) else "picture"


def _content(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max_bytes + 1)  # one byte more reveals a file over the limit


def _reason(error: Exception) -> str:
    match error:
        case UnreadableError():
            return str(error)
        case Image.DecompressionBombError():
            return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        case Image.UnidentifiedImageError():
            return "not a picture in a known format"
        case MemoryError():
            return "not enough memory"
        case OSError(strerror=str(text)):
            return text
        case _:
            return names.shown(" ".join(str(error).split()) or type(error).__name__)
