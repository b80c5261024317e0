import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from cifar10.data import images

RANDOM = np.random.default_rng(0)
QUARTERS = np.zeros((64, 64, 3), np.uint8)  # red, green / blue, white
QUARTERS[:32, :32, 0] = QUARTERS[:32, 32:, 1] = QUARTERS[32:, :32, 2] = QUARTERS[32:, 32:] = 255


def centres(picture):
    """Return the colours at the centres of the four quarters, row by row."""
    assert picture.shape == (32, 32, 3)
    assert picture.dtype == np.uint8
    return [tuple(map(int, picture[y, x])) for y in (8, 24) for x in (8, 24)]


RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def saved(tmp_path, image, ending="png", **options):
    path = tmp_path / f"picture.{ending}"
    image.save(path, **options)
    return path


def near(picture, colour, tolerance=0):
    return np.abs(picture.astype(int) - np.asarray(colour)).max() <= tolerance


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "webp"])
def test_a_picture_of_the_right_size_passes_bit_for_bit(tmp_path, ending):
    pixels = RANDOM.integers(0, 256, (32, 32, 3), np.uint8)
    options = {"lossless": True} if ending == "webp" else {}
    assert np.array_equal(images.read(saved(tmp_path, Image.fromarray(pixels), ending, **options)), pixels)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("RGB", "png"), ("RGBA", "png"), ("P", "png"), ("CMYK", "tiff"), ("CMYK", "jpg"), ("YCbCr", "jpg")],
)
def test_colours_survive_every_mode(tmp_path, mode, ending):
    path = saved(tmp_path, Image.fromarray(QUARTERS).convert(mode), ending)
    for found, expected in zip(centres(images.read(path)), (RED, GREEN, BLUE, WHITE), strict=True):
        assert near(np.array(found), expected, 3)


def test_lab_is_converted(tmp_path):
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.fromarray(QUARTERS), *profiles, outputMode="LAB")
    found = centres(images.read(saved(tmp_path, image, "tiff")))
    for colour, expected in zip(found, (RED, GREEN, BLUE, WHITE), strict=True):
        assert near(np.array(colour), expected, 30)  # 8 bits of LAB are coarse at the edges of sRGB


@pytest.mark.parametrize(
    ("mode", "value", "ending", "expected"),
    [
        ("L", 77, "png", 77),
        ("1", 1, "png", 255),
        ("LA", (77, 255), "png", 77),
        ("I;16", 77 * 257, "png", 77),
        ("I;16", 65535, "png", 255),
        ("I;16", 300, "png", 75),
        ("I;16", 77 * 257, "tiff", 77),
        ("I;16B", 77 * 257, "tiff", 77),
        ("I", 77 * 257, "tiff", 77),
        ("I", -5, "tiff", 0),
        ("I", 70000, "tiff", 255),
        ("F", 77 / 255, "tiff", 77),
        ("F", 77.0, "tiff", 77),
        ("F", float("nan"), "tiff", 0),
    ],
)
def test_greyscale_is_scaled_to_its_range(tmp_path, mode, value, ending, expected):
    assert near(images.read(saved(tmp_path, Image.new(mode, (40, 50), value), ending)), expected)


def test_all_65536_grey_values_keep_their_order(tmp_path):
    ramp = Image.fromarray(np.arange(65536).astype(np.uint16).reshape(256, 256))
    picture = images.read(saved(tmp_path, ramp))[..., 0]
    assert (np.diff(picture[:, 16].astype(int)) > 0).all()
    assert picture[0, 16] < 8
    assert picture[31, 16] > 247


def test_transparent_pixels_are_grey(tmp_path):
    pixels = np.dstack([QUARTERS, np.full((64, 64), 255, np.uint8)])
    pixels[:32, :32, 3] = 0
    pixels[:32, 32:, 3] = 128
    found = centres(images.read(saved(tmp_path, Image.fromarray(pixels))))
    assert found[0] == (128, 128, 128)
    assert near(np.array(found[1]), (64, 192, 64), 1)  # half green, half grey
    assert found[2:] == [BLUE, WHITE]


def test_a_transparent_colour_of_a_palette_is_grey(tmp_path):
    image = Image.new("P", (32, 32), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    assert near(images.read(saved(tmp_path, image, "gif", transparency=1)), 128)
    assert near(images.read(saved(tmp_path, image, "png", transparency=0)), GREEN)


# Where the quarters of an upright picture lie in the file, as the Exif standard (CIPA DC-008, tag 0x0112)
# tells the place of the first row and column.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_photographs_are_turned_upright(tmp_path, orientation, ending):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](QUARTERS)))
    found = centres(images.read(saved(tmp_path, image, ending, exif=exif)))
    for colour, expected in zip(found, (RED, GREEN, BLUE, WHITE), strict=True):
        assert near(np.array(colour), expected, 3)


@pytest.mark.parametrize("shape", [(100, 300), (300, 100)])
def test_the_middle_square_is_taken(tmp_path, shape):
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels[..., 0] = 255
    middle = tuple(slice((side - 100) // 2, (side + 100) // 2) for side in shape)
    pixels[middle] = BLUE
    assert near(images.read(saved(tmp_path, Image.fromarray(pixels)))[2:-2, 2:-2], BLUE)


def test_fine_patterns_are_averaged_not_picked(tmp_path):
    board = np.indices((320, 320)).sum(axis=0) % 2 * 255
    picture = images.read(saved(tmp_path, Image.fromarray(board.astype(np.uint8))))
    assert near(picture, 127.5, 3)


def test_any_size_and_shape_of_the_result(tmp_path):
    pixels = RANDOM.integers(0, 256, (20, 50, 3), np.uint8)
    assert np.array_equal(images.read(saved(tmp_path, Image.fromarray(pixels)), (20, 50)), pixels)
    bars = np.zeros((100, 120, 3), np.uint8)
    bars[:26] = bars[74:] = RED  # what the crop to 48x120 leaves out
    path = saved(tmp_path, Image.fromarray(bars))
    assert near(images.read(path, (40, 100)), 0, 8)
    padded = images.decode(path, "pad", size=(40, 100)).pixels
    assert near(padded[:, :25], 128)
    assert near(padded[1:9, 40:60], RED, 2)


@pytest.mark.parametrize("size", [(1, 1), (5000, 1), (1, 5000), (31, 33), (4000, 3000)])
def test_any_size_will_do(tmp_path, size):
    assert near(images.read(saved(tmp_path, Image.new("RGB", size, (10, 20, 30)))), (10, 20, 30))


def test_of_an_animation_the_first_picture_is_taken(tmp_path):
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, GREEN, BLUE)]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert near(images.read(path), RED)


def bomb() -> bytes:
    """Return the start of a PNG that declares a width and height of 100,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for chunk in (header, b"IDAT"):
        content += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return content


def png() -> bytes:
    content = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3), np.uint8)).save(content, "png")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "not a picture in a known format"),
        (png()[:40], "damaged or cut off"),
        (bomb(), "more than 300,000,000 pixels"),
    ],
    ids=["empty", "text", "truncated", "bomb"],
)
def test_what_cannot_be_read_is_named_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(images.PictureError) as error:
        images.read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_between_the_limit_and_twice_the_limit_is_an_error_too(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.new("L", (150, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(images.PictureError, match="more than 10,000 pixels"):
        images.read(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(images.PictureError, match=r"absent\.png: No such file"):
        images.read(tmp_path / "absent.png")
    with pytest.raises(images.PictureError, match=r"[Dd]irectory"):
        images.read(tmp_path)
