"""Damaged files, on purpose or not, give a picture or an error in one line, nothing else."""

import io
import signal
import subprocess
import sys
import time
from pathlib import Path

from cifar10.data import images  # before NumPy, also when this file runs as a script

# isort: split
import numpy as np
import pytest
from PIL import Image

FORMATS = {
    "JPEG": {"quality": 80, "progressive": True},
    "PNG": {},
    "GIF": {},
    "WEBP": {"lossless": True},
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
}
EACH = 400  # mutations of each format
SECONDS = 5  # limit per file
MEGABYTES = 1500  # of address space, enough for Pillow's limit of pixels, decoded and rotated


def seed_file(kind: str) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    options = FORMATS[kind] | ({} if kind in ("GIF", "BMP") else {"exif": exif})
    Image.fromarray(pixels).save(content, kind, **options)
    return content.getvalue()


def mutate(content: bytes, random: np.random.Generator) -> bytes:
    """Change a few bytes, mostly near the start, where sizes are stored, or cut, double or drop a piece."""
    changed = bytearray(content)
    for _ in range(random.integers(1, 9)):
        end = len(changed) if random.random() < 0.4 else min(len(changed), 120)
        at = int(random.integers(0, max(1, end)))
        length = int(random.integers(1, 9))
        match random.integers(0, 5):
            case 0:
                changed[at : at + length] = random.bytes(length)
            case 1:
                changed[at : at + length] = random.choice([b"\0", b"\xff", b"\x7f"]) * length
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[at : at + 50 * length]
            case _ if random.random() < 0.3:
                del changed[at + 20 :]
    return bytes(changed)


def check(kind: str) -> None:
    """Read every mutation; print the format and the numbers of pictures and of errors."""
    random = np.random.default_rng([7, *kind.encode()])
    original, outcomes = seed_file(kind), {"picture": 0, "error": 0}
    for _ in range(EACH):
        content = mutate(original, random)
        signal.alarm(SECONDS)  # ends the process and fails the test
        try:
            picture = images.decode(content).pixels
        except images.PictureError as error:
            assert_fair(str(error))
            outcomes["error"] += 1
        else:
            assert (picture.shape, picture.dtype) == ((32, 32, 3), np.uint8)
            outcomes["picture"] += 1
    signal.alarm(0)
    print(kind, outcomes["picture"], outcomes["error"], flush=True)


def assert_fair(message: str) -> None:
    """An error has one line and is not about the memory limit."""
    assert "\n" not in message
    assert "MemoryError" not in message


@pytest.fixture(scope="module")
def outcomes():
    """Numbers of pictures and of errors by format, counted in a process with limited memory."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MEGABYTES << 20},) * 2)\n"
    code += "import test_images_fuzz as tests\nfor kind in tests.FORMATS: tests.check(kind)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{Path(__file__).parent}:{Path.cwd()}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.partition(":")[0] for line in done.stderr.splitlines()} <= {
        "tempfile.tif"
    }  # messages of C code
    return {kind: [*map(int, numbers)] for kind, *numbers in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_are_read_or_refused(kind, outcomes):
    pictures, errors = outcomes[kind]
    assert pictures + errors == EACH
    assert errors > EACH / 20  # the mutations reach the decoders
    assert pictures > EACH / 100


def test_there_are_at_least_1000_mutated_files():
    assert len(FORMATS) * EACH >= 1000


def test_a_device_without_end_is_refused_in_time_and_memory(tmp_path):
    started = time.monotonic()
    with pytest.raises(images.PictureError, match="more than 1 MB"):
        images.decode(Path("/dev/zero"), max_bytes=1_000_000)
    assert time.monotonic() - started < 1


def test_a_program_is_no_picture(tmp_path):
    marker = tmp_path / "ran"
    content = (
        f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n({marker}) (w) file closefile showpage\n%%EOF\n"
    )
    with pytest.raises(images.PictureError, match="PostScript, a program: draw it"):
        images.read(content.encode())
    assert not marker.exists()


@pytest.mark.parametrize(
    ("limit", "reason"), [({"max_bytes": 100}, "0 MB"), ({"max_pixels": 1999}, "1,999 pixels")]
)
def test_limits_are_named(limit, reason):
    with pytest.raises(images.PictureError, match=f"^upload: more than {reason}"):
        images.decode(seed_file("PNG"), name="upload", **limit)
    assert images.decode(seed_file("PNG"), max_pixels=2000, max_bytes=100_000).pixels.shape == (32, 32, 3)
