"""Scale pictures to a small square, the large ones in bands, which limits the memory."""

from typing import Literal

from PIL import Image, ImageOps

SIZE = 32  # pixels, height and width of the models' input
GREY = (128, 128, 128, 255)  # RGBA, behind transparent pixels and in borders
LARGE = 25_000_000  # pixels; above, the picture is first averaged over blocks
BETWEEN = 128  # pixels, the smallest side after the first step
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


def shrunk(image: Image.Image, fit: Fit) -> Image.Image:
    """Average a large picture over blocks of pixels; a smaller one is returned as it is."""
    if image.width * image.height <= LARGE:
        return image
    image.load()
    side = min(image.size)
    left, above = ((length - side) // 2 if fit == "crop" else 0 for length in image.size)
    width, height = (side, side) if fit == "crop" else image.size
    factor = max(1, max(width, height) // BETWEEN)
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


def _averaged(band: Image.Image, factor: int) -> Image.Image:
    if band.mode.startswith("I;16"):
        band = band.convert("I")
    elif band.has_transparency_data:
        band = band.convert("RGBA")
    elif band.mode in ("1", "P"):
        band = band.convert("L" if band.mode == "1" else "RGB")
    return band.reduce(factor)


def square(image: Image.Image, fit: Fit) -> Image.Image:
    """Scale RGB or RGBA to 32x32 RGB; transparent pixels become neutral grey."""
    if fit == "crop":
        image = ImageOps.fit(image, (SIZE, SIZE))
    else:
        if max(image.size) >= 2 * SIZE * min(image.size):  # a line, which would vanish
            wide = image.width > image.height
            image = image.resize((SIZE, 1) if wide else (1, SIZE), Image.Resampling.BICUBIC)
        image = ImageOps.pad(image, (SIZE, SIZE), color=GREY if image.mode == "RGBA" else GREY[:3])
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, GREY), image)
    return image.convert("RGB")
