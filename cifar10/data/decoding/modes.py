"""Convert pictures of any mode to 8-bit RGB, or to RGBA if a pixel may be transparent."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from PIL import Image, ImageCms

from cifar10.data.decoding import brightness

# TIFF tags, and two of their values
BITS, PHOTOMETRIC, SAMPLE_FORMAT, LARGEST, LARGEST_SAMPLE = 258, 262, 339, 281, 341
WHITE_IS_ZERO, SIGNED = 0, 2
OTHER_BYTE = {"B": "L", "L": "B", "N": "B"}  # of 16 bits, in Pillow's names of layouts
LARGE_PPM = 65535  # Pillow scales PPM files of more than 8 bits to it


def is_grey(image: Image.Image, source: Image.Image) -> bool:
    """Check for grey values that `rgb` scales: more than 8 bits, or a sign."""
    signed = image.mode == "L" and number(tags(source), SAMPLE_FORMAT) == SIGNED
    return image.mode.startswith("I") or image.mode == "F" or signed


def rgb(image: Image.Image, source: Image.Image) -> tuple[Image.Image, str | None]:
    """Convert to RGB or RGBA.

    Args:
        image: the pixels.
        source: the opened file that they come from, which has its tags.

    Returns:
        The converted picture, and a warning if its brightness is a guess.
    """
    if is_grey(image, source):
        return _grey(image, source)
    if image.mode == "LAB":
        profiles = (ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"))
        converted = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
        assert converted is not None  # noqa: S101  (None only with inPlace)
        return converted, None
    return image.convert("RGBA" if image.has_transparency_data else "RGB"), None


def _grey(image: Image.Image, source: Image.Image) -> tuple[Image.Image, str | None]:
    said, values = tags(source), np.asarray(image)
    signed = number(said, SAMPLE_FORMAT) == SIGNED
    bits = number(said, BITS) or (16 if ";16" in source.mode or source.format in ("PPM", "PNG") else None)
    if image.mode == "L":
        values = values.view(np.int8)
    elif image.mode == "I" and bits == 32 and not signed:
        values = values.view(np.uint32)  # Pillow takes the first bit for a sign
    white = number(said, LARGEST_SAMPLE) or number(said, LARGEST)
    inverted = number(said, PHOTOMETRIC) == WHITE_IS_ZERO and image.mode != "L"
    whole = None if image.mode == "F" or bits is None else int(bits) - signed
    grey, warning = brightness.to_bytes(values, whole, white, inverted)
    return Image.fromarray(grey).convert("RGB"), warning


def dark_colours(
    image: Image.Image, reopen: Callable[[], Image.Image], shrink: Callable[[Image.Image], Image.Image]
) -> tuple[Image.Image, str] | None:
    """Brighten colours of 16 bits that use fewer bits; Pillow reads the upper 8 bits only.

    Args:
        image: with its pixels; `note_layout` saw it before they were loaded.
        reopen: opens the same file again.
        shrink: makes a large picture smaller.

    Returns:
        RGB or RGBA and a warning, or None if the picture is bright enough or has 8 bits.
    """
    layout = str(image.info.pop(LAYOUT, ""))
    if ";16" not in layout or image.mode not in ("RGB", "RGBA"):
        return None
    extrema: Any = image.getextrema()  # a pair per band
    if max(high for _, high in extrema[:3]) >= 256 // brightness.DARK:
        return None
    upper, lower = np.asarray(shrink(image)), _lower_bytes(reopen(), layout)
    values = upper[..., :3].astype(np.uint16) * 256
    values += 0 if lower is None else np.asarray(shrink(lower))[..., :3]
    scaled, warning = brightness.to_bytes(values, 16)
    if warning is None:
        return None
    return Image.fromarray(np.dstack([scaled, upper[..., 3:]])), warning


LAYOUT = "layout of the values"  # key of `Image.info`


def note_layout(image: Image.Image) -> None:
    """Keep how values lie in the file, for `dark_colours`; Pillow forgets it when it loads the pixels."""
    tile = getattr(image, "tile", None)
    arguments = tile[0].args if tile else ""
    image.info[LAYOUT] = arguments[0] if isinstance(arguments, tuple) and arguments else arguments


def _lower_bytes(image: Any, layout: str) -> Image.Image | None:
    """Read the lower byte of each 16-bit value; None if Pillow cannot."""
    other = layout[:-1] + OTHER_BYTE.get(layout[-1], "")
    try:
        image.tile = [
            tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other)
            for tile in getattr(image, "tile", [])
        ]
        image.load()
    except Exception:  # Pillow raises many kinds of errors for a layout that it does not know
        return None
    return cast("Image.Image", image)


def tags(image: Image.Image) -> Mapping[int, Any]:
    """Return the tags of a TIFF; none for other formats."""
    return getattr(image, "tag_v2", {})


def number(said: Mapping[int, Any], tag: int) -> float | None:
    """Return the first value of a TIFF tag, if it is a number."""
    try:
        found = said.get(tag)
    except Exception:  # Pillow raises many kinds of errors on damaged tags
        return None
    found = found[0] if isinstance(found, tuple) and found else found
    return found if isinstance(found, int | float) else None
