"""Open a picture and load its pixels, also if its metadata are damaged or its end is missing."""

import contextlib
import io
import warnings

from PIL import Image, ImageFile

from cifar10.data.decoding import formats, modes, repair

warnings.filterwarnings("ignore", module=r"PIL\.")  # about harmless damage, and about size: see `limits`

TARGET = 128  # pixels; a large JPEG is decoded at a fraction of its size, not below this one


class UnreadableError(Exception):
    """The reason why a file is no picture, in one line."""


def opened(content: bytes) -> Image.Image:
    """Open a picture; its pixels are not loaded yet.

    Raises:
        Exception: many kinds, as Pillow raises them.
    """
    if formats.is_heif(content):
        return _heif(content)
    Image.init()
    kinds = [kind for kind in Image.ID if kind not in formats.NEVER]
    try:
        return Image.open(io.BytesIO(content), formats=kinds)
    except Image.DecompressionBombError:
        raise
    except Exception:
        bare = repair.pixels_only(content)
        if bare is None or bare == content:
            raise
        return Image.open(io.BytesIO(bare), formats=kinds)


def prepare(image: Image.Image) -> None:
    """Choose how the pixels are decoded: a large JPEG at a fraction of its size."""
    image.draft(None, (TARGET, TARGET))
    modes.note_layout(image)


def loaded(image: Image.Image, content: bytes) -> tuple[Image.Image, str | None]:
    """Load the pixels.

    Returns:
        The picture and, if a part of it is missing, a warning. The missing part is grey or black.

    Raises:
        Exception: no pixel can be read; many kinds, as Pillow raises them.
    """
    prepare(image)
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:
        partial = _partial(image, content)
        if partial is None:
            raise
        cut = "truncated" in str(error)
        return partial, "cut off: the rest is missing" if cut else "damaged: a part is missing"
    return image, None


def _partial(image: Image.Image, content: bytes) -> Image.Image | None:
    """Return what can be read of a damaged picture; None if this is nothing, or one colour."""
    if content.startswith(b"\xff\xd8"):
        with contextlib.suppress(Exception):  # the decoder fills the rest with grey
            image = opened(content + repair.END)
            prepare(image)
    elif isinstance(image, ImageFile.ImageFile):
        image.tile = []  # what was decoded until the error stays
    with contextlib.suppress(Exception):
        image.load()
        extrema = image.convert("RGB").getextrema() if image.mode == "P" else image.getextrema()
        ranges = extrema if isinstance(extrema[0], tuple) else (extrema,)
        if any(low != high for low, high in ranges):
            return image
    return None


def _heif(content: bytes) -> Image.Image:
    try:
        import pillow_heif  # here: few pictures need it
    except ImportError:
        raise UnreadableError(
            "a HEIC picture, which needs the package pillow-heif: run `make install`"
        ) from None
    pillow_heif.register_heif_opener()
    return Image.open(io.BytesIO(content), formats=["HEIF"])
