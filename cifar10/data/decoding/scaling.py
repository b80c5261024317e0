"""Scale pictures to the input size of the models, the large ones in bands, which limits the memory."""

from typing import Literal

from PIL import Image, ImageOps

from cifar10 import image_size

Size = tuple[int, int]  # height and width in pixels
SIZE: Size = image_size.CIFAR10
GREY = (128, 128, 128, 255)  # RGBA, behind transparent pixels and in borders
LARGE = 25_000_000  # pixels; above, the picture is first averaged over blocks
BETWEEN = 4  # times the largest side of the result, the smallest side after the first step
BAND = 4_000_000  # pixels in memory in another mode

Fit = Literal["crop", "pad"]

ROTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by Exif orientation


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turn a picture as its Exif orientation, 1 to 8, says."""
    return image.transpose(ROTATIONS[orientation]) if orientation in ROTATIONS else image


def shrunk(image: Image.Image, fit: Fit, size: Size = SIZE) -> Image.Image:
    """Average a large picture over blocks of pixels; a smaller one is returned as it is."""
    if image.width * image.height <= LARGE:
        return image
    image.load()
    width, height = _cropped(image, size) if fit == "crop" else image.size
    left, above = (image.width - width) // 2, (image.height - height) // 2
    factor = max(1, max(width, height) // (BETWEEN * max(size)))
    rows = max(1, BAND // width // factor) * factor
    parts = [
        _averaged(image.crop((left, top, left + width, min(top + rows, above + height))), factor)
        for top in range(above, above + height, rows)
    ]
    whole = Image.new(parts[0].mode, (parts[0].width, sum(part.height for part in parts)))
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    return whole


def _cropped(image: Image.Image, size: Size) -> tuple[int, int]:
    """Return width and height of the largest part of a picture that has the shape of `size`."""
    height, width = size
    if image.width * height > image.height * width:
        return max(1, image.height * width // height), image.height
    return image.width, max(1, image.width * height // width)


def _averaged(band: Image.Image, factor: int) -> Image.Image:
    if band.mode.startswith("I;16"):
        band = band.convert("I")
    elif band.has_transparency_data:
        band = band.convert("RGBA")
    elif band.mode in ("1", "P"):
        band = band.convert("L" if band.mode == "1" else "RGB")
    return band.reduce(factor)


def fitted(image: Image.Image, fit: Fit, size: Size = SIZE) -> Image.Image:
    """Scale RGB or RGBA to RGB of a size, bicubic with antialiasing; transparent pixels become grey."""
    height, width = size
    if fit == "crop":
        image = ImageOps.fit(image, (width, height))
    else:
        if max(image.size) >= 2 * max(size) * min(image.size):  # a line, which would vanish
            wide = image.width > image.height
            image = image.resize((width, 1) if wide else (1, height), Image.Resampling.BICUBIC)
        image = ImageOps.pad(image, (width, height), color=GREY if image.mode == "RGBA" else GREY[:3])
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, GREY), image)
    return image.convert("RGB")
