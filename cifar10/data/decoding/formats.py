"""Formats that are no picture here: what a file is, by its first bytes and its suffix, and what to do."""

import re

from PIL import Image

# Pillow formats that are never tried: a program, and formats that it identifies without a decoder.
NEVER = {"EPS", "BUFR", "GRIB", "HDF5", "MPEG", "WMF"}
# Suffixes of cameras' raw files.
RAW = re.compile(
    r"\.(3fr|arw|cr2|cr3|crw|dcr|dng|erf|fff|iiq|kdc|mef|mos|mrw|nef|nrw|orf|pef|raf|raw|rw2|rwl|sr2|srf|srw|x3f)$",
    re.IGNORECASE,
)
HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF = {b"avif", b"avis"}
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
DNG_VERSION, SUB_IFDS, SUBFILE_TYPE = 50706, 330, 254  # TIFF tags

PICTURE = re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]|.{4}jP  |qoif", re.DOTALL)

CAMERA = "a raw file of a camera: develop it to JPEG, as in `darktable-cli FILE picture.jpg`"
EXPORT = "open it in the program that made it and export a PNG"
FRAME = "a film: save a frame as PNG, as in `ffmpeg -i FILE -frames:v 1 picture.png`"
OTHER = [  # pattern of the first bytes, what the file is and what to do
    (rb"(II\*\0.{4}CR|IIRO|IIRS|IIU\0|FUJIFILMCCD-RAW|FOVb|\0MRM|.{4}ftypcrx )", CAMERA),
    (rb"%PDF-", "a PDF: draw a page, as in `pdftoppm -png -singlefile FILE picture`"),
    (
        rb"(%!PS|\xc5\xd0\xd3\xc6)",
        "PostScript, a program: draw it, as in `gs -sDEVICE=png16m -o picture.png FILE`",
    ),
    (rb"8BPS", f"a Photoshop file of a kind that is not read: {EXPORT}"),
    (rb"gimp xcf", f"a GIMP file: {EXPORT}"),
    (rb"(\xff\x0a|\0\0\0\x0cJXL )", "a JPEG XL picture: convert it, as in `djxl FILE picture.png`"),
    (rb"II\xbc", "a JPEG XR picture: convert it to PNG"),
    (rb"v/1\x01", "an OpenEXR picture: convert it, as in `magick FILE picture.png`"),
    (rb"#\?(RADIANCE|RGBE)", "a Radiance HDR picture: convert it, as in `magick FILE picture.png`"),
    (rb".{128}DICM", "a DICOM file: convert it, as in `dcm2pnm --write-png FILE picture.png`"),
    (rb"AT&TFORM", "a DjVu document: convert it, as in `ddjvu -format=tiff -page=1 FILE picture.tif`"),
    (rb"(.{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}AVI |\0\0\x01[\xb3\xba]|OggS|FLV\x01|.{4}moov)", FRAME),
    (rb"(\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF)", "a Windows metafile: convert it to PNG"),
    (rb"\x89HDF", "an HDF5 file: no picture"),
    (rb"version https://git-lfs", "a Git LFS pointer, not the picture: run `git lfs pull`"),
    (rb"PK\x03\x04", "an archive or a document: unpack or export the pictures in it"),
    (rb"(\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!)", "a compressed file: unpack it"),
    (rb"\xd0\xcf\x11\xe0", "a document of an office program, or thumbnails: export the pictures in it"),
    (
        rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE svg.*?>|\s)*<(\w+:)?svg",
        "an SVG, a drawing: draw it, as in `rsvg-convert FILE -o picture.png`",
    ),
    (
        rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>|<!--.*?-->|\s)*<(!doctype )?html",
        "a web page, not a picture: save the picture",
    ),
]


def named(content: bytes) -> str | None:
    """Say what a file is that no decoder reads, and what to do; None if unknown."""
    start = content[:4096]
    if is_damaged(start) and not re.match(OTHER[0][0], start, re.DOTALL):
        return None
    return next(
        (words for pattern, words in OTHER if re.match(pattern, start, re.DOTALL | re.IGNORECASE)), None
    )


def is_damaged(content: bytes) -> bool:
    """Check for the first bytes of a format that is read, in a file that no decoder reads."""
    return PICTURE.match(content) is not None or bool(brands(content) & (HEIF | AVIF))


def brands(content: bytes) -> set[bytes]:
    """List the brands of an ISO base media file, such as heic and avif; the set is empty for others."""
    if content[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(content[:4], "big"), 256)
    return {content[8:12], *(content[at : at + 4] for at in range(16, end, 4))}


def is_heif(content: bytes) -> bool:
    """Check for HEIF with HEVC, as telephones write it; Pillow reads HEIF with AV1 itself."""
    found = brands(content)
    return bool(found & HEIF) and not found & AVIF


def is_raw(content: bytes, name: str) -> bool:
    """Check for a camera's raw file by its first bytes, or by its suffix if it is a TIFF inside."""
    return named(content) == CAMERA or (content.startswith(TIFF) and RAW.search(name) is not None)


def is_raw_inside(image: Image.Image) -> bool:
    """Check for a camera's raw file by the TIFF tags of an opened picture: DNG, or a thumbnail up front."""
    tags = getattr(image, "tag_v2", {})
    return DNG_VERSION in tags or (tags.get(SUBFILE_TYPE) == 1 and SUB_IFDS in tags)
