"""Large pictures are read in bounded memory, in bands, and give what smaller ones give."""

import io

import numpy as np
import pytest
from PIL import Image

from cifar10.data import images
from cifar10.data.decoding import limits, scaling

RANDOM = np.random.default_rng(0).integers(0, 256, (300, 400, 4), np.uint8)
SMOOTH = np.asarray(Image.fromarray(RANDOM[:9, :12]).resize((800, 600)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_bands_give_the_same_picture(monkeypatch, mode, fit, orientation):
    if mode in ("I;16", "I", "F"):
        values = SMOOTH[..., 0] * 256.0 if mode != "F" else SMOOTH[..., 0] / 255
        image = Image.fromarray(values.astype({"I;16": "u2", "I": "i4", "F": "f4"}[mode]))
    else:
        image = Image.fromarray(SMOOTH).convert(mode)
    content, exif = io.BytesIO(), Image.Exif()
    exif[0x112] = orientation
    image.save(content, "TIFF", exif=exif)
    expected = images.decode(content.getvalue(), fit).pixels
    monkeypatch.setattr(scaling, "LARGE", 1000)
    monkeypatch.setattr(scaling, "BAND", 50_000)
    found = images.decode(content.getvalue(), fit).pixels
    difference = np.abs(found.astype(int) - expected)
    assert difference.mean() < 4
    assert difference.max() < 60  # at the borders of 1-bit and palette pictures


@pytest.mark.parametrize("size", [(5000, 1), (1, 5000), (40_000, 100)])
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_lines_are_read(size, fit):
    content = io.BytesIO()
    Image.new("RGB", size, (10, 20, 30)).save(content, "PNG")
    found = images.decode(content.getvalue(), fit).pixels
    assert found[16, 16].tolist() in ([10, 20, 30], [128, 128, 128])
    assert (found == (10, 20, 30)).all(axis=2).any()


@pytest.mark.parametrize(
    ("mode", "kind", "limit"),
    [
        ("1", "PNG", 300_000_000),
        ("L", "PNG", 300_000_000),
        ("RGB", "PNG", 224_999_750),
        ("RGB", "WEBP", 56_250_000),
    ],
)
def test_the_limit_depends_on_the_memory(mode, kind, limit):
    content = io.BytesIO()
    Image.new(mode, (8, 8)).save(content, kind)
    assert limits.pixels(Image.open(content), 1000, images.MAX_PIXELS) == limit


def test_more_than_a_hundred_megapixels_are_read():
    content = io.BytesIO()
    Image.new("1", (12_000, 9_000), 1).save(content, "PNG")
    assert images.decode(content.getvalue()).pixels.min() == 255
