"""Any picture, with any metadata, cut at any byte: an image or one line, in bounded memory and time."""

import io
import struct
import subprocess
import sys
import time
from pathlib import Path

from cifar10.data import images  # before NumPy, also when this file runs as a script

# isort: split
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

SECONDS = 2  # per file
MEGABYTES = 1500  # of address space
MODES = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "JPEG": ["L", "RGB", "CMYK", "YCbCr"],
    "GIF": ["1", "L", "P", "RGB", "RGBA"],
    "WEBP": ["RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr", "I", "I;16", "F"],
    "BMP": ["1", "L", "P", "RGB"],
    "JPEG2000": ["L", "RGB", "RGBA", "I;16"],
    "AVIF": ["RGB", "RGBA"],
}
SIDES = st.sampled_from([1, 2, 3, 31, 32, 33, 64, 100, 300])  # a JPEG of 300 is decoded at half its size
TAGS = st.lists(  # of an Exif block, with types and counts right or wrong
    st.tuples(
        st.sampled_from([0x100, 0x101, 0x112, 0x11A, 0x11B, 0x128, 0x8769, 0x8825, 0x927C, 0xA002]),
        st.integers(0, 14),
        st.sampled_from([0, 1, 2, 4, 70, 2**32 - 1]),
        st.binary(min_size=4, max_size=4),
    ),
    max_size=4,
)


@st.composite
def files(draw):
    kind = draw(st.sampled_from(sorted(MODES)))
    mode = draw(st.sampled_from(MODES[kind]))
    image = picture(mode, (draw(SIDES), draw(SIDES)), draw(st.integers(0, 9)))
    options = (
        {"save_all": True, "append_images": [image]}
        if kind in ("GIF", "WEBP", "PNG", "TIFF") and draw(st.booleans())
        else {}
    )
    if kind in ("PNG", "JPEG", "WEBP"):
        options["exif"] = exif(draw(TAGS))
    if draw(st.booleans()) and kind in ("PNG", "JPEG", "WEBP", "TIFF"):
        options["icc_profile"] = draw(st.binary(max_size=200))
    content = io.BytesIO()
    image.save(content, kind, **options)
    content = content.getvalue()
    return content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content


def picture(mode, size, seed):
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), np.uint8)
    if mode == "F":
        return Image.fromarray((values[..., 0] * 10.0 ** (seed - 5)).astype(np.float32))
    if mode.startswith("I"):
        deep = values[..., 0].astype(np.int32) << seed
        return Image.fromarray(deep if mode == "I" else deep.astype(np.uint16))
    if mode == "LAB":
        return Image.merge("LAB", Image.fromarray(values).split()[:3])
    return Image.fromarray(values).convert(mode)


def exif(tags):
    block = b"".join(struct.pack("<HHI", *tag[:3]) + tag[3] for tag in tags)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(tags)) + block + bytes(4)


def assert_fair(message):
    """An error has one line and is not about the memory limit."""
    assert "\n" not in message
    assert "memory" not in message


@settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck]
)
@given(files())
def check(content):
    started = time.monotonic()
    try:
        found = images.decode(content)
    except images.PictureError as error:
        assert_fair(str(error))
    else:
        assert (found.pixels.shape, found.pixels.dtype) == ((32, 32, 3), np.uint8)
        assert all("\n" not in text for text in found.warnings)
    assert time.monotonic() - started < SECONDS


def test_any_picture_cut_at_any_byte_is_an_image_or_one_line():
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MEGABYTES << 20},) * 2)\n"
    code += "import test_images_property; test_images_property.check()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join([str(Path(__file__).parent), str(Path.cwd()), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
