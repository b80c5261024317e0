"""What is no picture here gets one line that says what it is; HEIC is read."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from cifar10.data import images

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"%PDF-1.7\n", "a", "a PDF: draw a page, as in `pdftoppm"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns=""/>', "a", "an SVG, a drawing"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(90), "a", "a raw file of a camera: develop it"),
        (b"\0\0\0\x18ftypcrx " + bytes(90), "a", "a raw file of a camera"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(90), "a", "a raw file of a camera"),
        (b"8BPS\0\1" + bytes(90), "a", "a Photoshop file"),
        (b"\xff\x0a" + bytes(90), "a", "a JPEG XL picture: convert it"),
        (b"\0\0\0\x18ftypmp42" + bytes(90), "a", "a film: save a frame"),
        (b"\x1a\x45\xdf\xa3" + bytes(90), "a", "a film"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a", "run `git lfs pull`"),
        (b"<!DOCTYPE html><html>", "a", "a web page"),
        (b"PK\x03\x04" + bytes(90), "a", "an archive or a document"),
        (b"\xd0\xcf\x11\xe0" + bytes(90), "Thumbs.db", "thumbnails"),
        (b"\0\0\0\x18ftypheic" + bytes(90), "a", "damaged or cut off"),
        (b"\0\0\0\x18ftypavif" + bytes(90), "a", "damaged or cut off"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a", "damaged or cut off"),
        (b"hello", "a", "not a picture in a known format"),
    ],
)
def test_other_files_are_named(content, name, words):
    with pytest.raises(images.PictureError) as error:
        images.decode(content, name=name)
    assert str(error.value).startswith(f"{name}: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def encoded(kind, **options):
    content = io.BytesIO()
    Image.fromarray(PIXELS).save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "tags"),
    [("a.NEF", {}), ("a.dng", {}), ("a", {50706: b"\1\4\0\0"})],
)
def test_raw_files_with_a_tiff_inside_are_not_read_as_their_thumbnail(name, tags):
    with pytest.raises(images.PictureError, match="a raw file of a camera"):
        images.decode(encoded("TIFF", tiffinfo=tags), name=name)


def test_heic_is_read_upright():
    content = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(np.full((40, 60, 3), (200, 30, 90), np.uint8))).save(content)
    found = images.decode(content.getvalue())
    assert np.abs(found.pixels.astype(int) - (200, 30, 90)).max() <= 4
    assert found.warnings == []


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TGA", {}),
    ],
)
def test_the_part_of_a_cut_off_picture_is_read_with_a_warning(kind, options):
    content = encoded(kind, **options)
    whole = images.decode(content).pixels.astype(int)
    part = images.decode(content[: len(content) * 9 // 10] if kind != "TIFF" else content[:-1500])
    assert part.warnings == ["cut off: the rest is missing"]
    rows = slice(-4, None) if kind in ("BMP", "TGA") else slice(4)  # these begin at the bottom
    assert np.abs(part.pixels[rows].astype(int) - whole[rows]).mean() < 20
    if kind == "JPEG":
        end = images.decode(content[:-2])
        assert (end.warnings, end.pixels.tolist()) == (["cut off: the rest is missing"], whole.tolist())


def segment(marker, content):
    whole = encoded("JPEG")
    return whole[:2] + bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content + whole[2:]


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\0\x04abcd",
        b"JFIF\0",
        b"Adobe",
        b"ICC_PROFILE\0\1\2x",
        b"MPF\0II*\0\x08\0\0\0\xff\xff",
        b"Exif\0\0MM\0*" + b"\xff" * 60,
    ],
)
def test_damaged_metadata_of_a_jpeg_change_no_pixel(marker, content):
    if marker == 0xEE and content == b"Adobe":
        return  # says how colours are stored
    found = images.decode(segment(marker, content))
    assert np.array_equal(found.pixels, images.decode(encoded("JPEG")).pixels)


def test_a_damaged_chunk_of_a_png_changes_no_pixel():
    whole = encoded("PNG")
    for kind in (b"iCCP", b"eXIf", b"tIME", b"gAMA", b"iTXt", b"zTXt", b"pHYs", b"acTL", b"sRGB", b"cHRM"):
        for content in (b"", b"x", b"\xff" * 30):
            chunk = len(content).to_bytes(4, "big") + kind + content + b"\0\0\0\0"
            found = images.decode(whole[:33] + chunk + whole[33:])
            assert np.array_equal(found.pixels, images.decode(whole).pixels), kind
