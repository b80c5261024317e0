"""Remove damaged metadata from a JPEG or PNG, so that its pixels can be read."""

import struct
from collections.abc import Iterator

from PIL import Image

ORIENTATION = 0x0112  # Exif tag
LONG = 4  # Exif type
PNG = b"\x89PNG\r\n\x1a\n"
PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # PNG chunks
JFIF, ADOBE, SCAN = 0xE0, 0xEE, 0xDA  # JPEG markers; Adobe's says how colours are stored
EXIF = b"Exif\0\0"
END = b"\xff\xd9"  # of a JPEG


def orientation(image: Image.Image) -> int:
    """Return the Exif orientation, 1 to 8; 1 if there is none, or one that cannot be read."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # Pillow raises many kinds of errors on damaged blocks
        block = image.info.get("exif", b"")
        return _orientation(block.removeprefix(EXIF)) if isinstance(block, bytes) else 1
    found = found[0] if isinstance(found, tuple) and found else found
    return int(found) if isinstance(found, int) and found in range(1, 9) else 1


def pixels_only(content: bytes) -> bytes | None:
    """Return a JPEG or PNG without its metadata, but with its orientation; None for other formats."""
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content.startswith(PNG):
        return PNG + b"".join(chunk for kind, chunk in _chunks(content) if kind in PIXELS)
    return None


def _jpeg(content: bytes) -> bytes:
    """Keep the segments that decoders need, and a new Exif block with the old orientation."""
    kept, found, at = [content[:2]], 1, 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == SCAN:
            break
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xE1 and content[at + 4 : at + 10] == EXIF:
            found = _orientation(content[at + 10 : end])
        if not 0xE0 <= marker <= 0xEF or marker == ADOBE or (marker == JFIF and end - at >= 18):
            kept.append(content[at:end])
        at = end
    exif = Image.Exif()
    exif[ORIENTATION] = found
    block = exif.tobytes()
    kept.insert(1, b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    return b"".join([*kept, content[at:]])


def _orientation(block: bytes) -> int:
    """Return the orientation of the first directory of a TIFF block."""
    order: str = {b"II": "<", b"MM": ">"}.get(block[:2], "")
    try:
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", block, entry)
            (value,) = struct.unpack_from(f"{order}I" if kind == LONG else f"{order}H", block, entry + 8)
            if tag == ORIENTATION and value in range(1, 9):
                return int(value)
    except struct.error:
        pass
    return 1


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG: kind, and all bytes; the last one may be cut."""
    at = len(PNG)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at : at + 12 + length]
        at += 12 + length
