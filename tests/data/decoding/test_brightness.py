"""Values of more than 8 bits against the formula 255 (v - black) / (white - black)."""

import io

import numpy as np
import pytest
import tifffile

from cifar10.data import images
from cifar10.data.decoding import brightness

RAMP = np.linspace(0, 1, 32 * 32, dtype=np.float64).reshape(32, 32)


def tiff(values, **options):
    content = io.BytesIO()
    tifffile.imwrite(content, values, **options)
    return images.decode(content.getvalue())


@pytest.mark.parametrize(
    ("most", "dtype", "white", "sure"),
    [
        (65535, "u2", 65535, True),
        (20000, "u2", 65535, True),
        (4080, "u2", 4095, False),
        (1000, "u2", 1023, False),
        (16000, "u2", 16383, False),
        (255, "i4", 255, False),
        (2**31 - 1, "i4", 2**31 - 1, False),
        (4_000_000_000, "u4", 2**32 - 1, False),
        (32767, "i2", 32767, True),
        (1.0, "f4", 1, True),
        (1.0, "f8", 1, True),
        (0.5, "f2", 1, True),
        (0.06, "f4", 0.06, False),
        (255, "f4", 255, True),
        (65535, "f4", 65535, False),
        (4095, "f4", 4095, False),
        (1e6, "f4", 1e6, False),
    ],
)
@pytest.mark.parametrize("colours", [False, True], ids=["grey", "RGB"])
def test_white_is_what_the_file_says_or_a_guess_with_a_warning(most, dtype, white, sure, colours):
    values = RAMP * most
    values = (values if dtype.startswith("f") else np.rint(values)).astype(dtype)
    given = np.repeat(values[..., np.newaxis], 3, axis=2) if colours else values
    found = tiff(given, photometric="rgb" if colours else "minisblack")
    expected = np.asarray(values, float) * 255 / white
    assert np.abs(found.pixels - expected[..., np.newaxis]).max() <= (1 if white < 65536 else 2)
    assert bool(found.warnings) != sure
    assert all("brightness is a guess" in text for text in found.warnings)


@pytest.mark.parametrize("dtype", ["u2", ">u2", "f4", "u4", ">u4", "f8"])
def test_white_may_be_the_lowest_value(dtype):
    values = (RAMP if "f" in dtype else np.rint(RAMP * 65535)).astype(dtype)
    byteorder = ">" if dtype.startswith(">") else "<"
    found = tiff(values, photometric="miniswhite", byteorder=byteorder).pixels
    assert np.abs(found[..., 0] - (255 - 255 * RAMP)).max() <= 1


def test_the_largest_value_that_the_file_says_is_white():
    values = np.rint(RAMP * 2000).astype("u2")
    found = tiff(values, extratags=[(281, 3, 1, 4000, True)])
    assert found.warnings == []
    assert np.abs(found.pixels[..., 0] - 255 * values.astype(float) / 4000).max() <= 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([-1024.0, 0, 3072]), [0, 64, 255]),
        (np.array([-1.0, 0, 1]), [0, 128, 255]),
        (np.array([-1024, 0, 3072]), [0, 64, 255]),
        (np.array([np.nan, 0.5, 1.0, np.inf]), [0, 128, 255, 255]),
        (np.array([0, 0, 0]), [0, 0, 0]),
        (np.array([np.nan]), [0]),
        (np.array([1e-45], np.float32), [255]),
    ],
)
def test_odd_ranges(values, expected):
    assert brightness.to_bytes(values)[0].tolist() == expected


def test_one_pixel_above_one_changes_nothing():
    values = RAMP.astype("f4")
    values[0, 0] = 1.01
    assert np.abs(tiff(values).pixels[1:, :, 0] - 255 * RAMP[1:]).max() <= 1
