"""Pictures as the models see them: uint8 (32, 32, 3), red, green, blue."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from cifar10.errors import UserError

SIZE = 32  # pixels, height and width
GREY = (128, 128, 128, 255)  # what shows through transparent pixels


@dataclasses.dataclass(frozen=True)
class Images:
    """A data set: images uint8 (N, 32, 32, 3), labels int64 (N,), each an index into `class_names`."""

    class_names: list[str]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


class PictureError(UserError):
    """A file that cannot be read as a picture; the message has its path and the reason."""


def read(path: Path) -> np.ndarray:
    """Read a picture of any size and mode, upright, its middle square scaled to 32x32.

    An RGB picture of 32x32 pixels comes out as it is. Of several frames the first is taken.

    Returns:
        uint8 (32, 32, 3).

    Raises:
        PictureError: it is empty, damaged, no picture, or too large to unpack (Pillow's MAX_IMAGE_PIXELS).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.draft(None, (4 * SIZE, 4 * SIZE))  # a large JPEG is unpacked at a fraction of its size
                upright = ImageOps.exif_transpose(image)
                return np.array(ImageOps.fit(_rgb(upright), (SIZE, SIZE)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"{path}: more than {Image.MAX_IMAGE_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow's readers raise nearly anything on a damaged file
        raise PictureError(f"{path}: {_reason(path, error)}") from None


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if path.stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, Image.UnidentifiedImageError):
        return "no picture of a known format"
    return str(error) or type(error).__name__


def _rgb(image: Image.Image) -> Image.Image:
    """Turn any mode into 8 bits of red, green and blue; transparent pixels become neutral grey."""
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled(np.asarray(image), image.mode).convert("RGB")
    if image.mode == "LAB":
        profiles = (ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"))
        converted = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
        assert converted is not None  # noqa: S101  (it is None only with inPlace)
        return converted
    if image.has_transparency_data:
        background = Image.new("RGBA", image.size, GREY)
        image = Image.alpha_composite(background, image.convert("RGBA"))
    return image.convert("RGB")


def _scaled(grey: np.ndarray, mode: str) -> Image.Image:
    """Scale grey values to 0..255: integers from 0..65535, floats from 0..1 or, if any is larger, 0..255."""
    values = np.nan_to_num(grey.astype(np.float64))
    white = 65535 if mode != "F" else 1 if values.max() <= 1 else 255
    return Image.fromarray(np.rint(values / white * 255).clip(0, 255).astype(np.uint8))
