"""Scale values of more than 8 bits to 0..255, by what the file says or else by their range."""

from typing import Any

import numpy as np

DARK = 4  # if no value reaches a fourth of white, the picture is taken for one of fewer bits
FEW = 0.01  # share of pixels that may lie outside of 0..1 in a picture of this range
DEPTHS = (8, 10, 12, 14, 16)  # bits per value of cameras and scanners


def to_bytes(
    values: np.ndarray, bits: int | None = None, white: float | None = None, inverted: bool = False
) -> tuple[np.ndarray, str | None]:
    """Scale grey values or colours to 0..255.

    Args:
        values: integers or floats of any shape; NaN becomes 0.
        bits: of an integer, without its sign, as the file says; None for floats, or if it does not say it.
        white: the value of white, if the file says it; not used if values are larger.
        inverted: whether the file says that its lowest value is white.

    Returns:
        uint8 of the same shape, and a warning if black and white are guesses.
    """
    floats = values.dtype.kind == "f"
    known = values[np.isfinite(values)] if floats else values
    least, most = (known.min().item(), known.max().item()) if known.size else (0, 0)
    if white is not None and 0 <= least <= most <= white and (bits is None or white < 2**bits - 1):
        low, high, sure = 0.0, white, True
    else:
        low, high, sure = _of_floats(known, least, most) if floats else _of_integers(least, most, bits)
    with np.errstate(all="ignore"):
        scaled: np.ndarray[Any, np.dtype[np.floating[Any]]] = values.astype(
            np.float64 if values.dtype.itemsize > 4 else np.float32
        )
        scaled -= scaled.dtype.type(low)
        scaled *= scaled.dtype.type(255 / (high - low))
        scaled = np.rint(np.nan_to_num(scaled, copy=False), out=scaled).clip(0, 255, out=scaled)
    grey = scaled.astype(np.uint8)
    spans = (f"{start:,.6g} to {end:,.6g}" for start, end in ((least, most), (low, high)))
    warning = None if sure else "brightness is a guess: values of {} are read as {}".format(*spans)
    return (255 - grey if inverted else grey), warning


def _of_integers(least: float, most: float, bits: int | None) -> tuple[float, float, bool]:
    """Return the values of black and white of integers, and whether they are sure."""
    if least < 0 and least < most:
        return least, most, False  # as in computed tomography
    if bits is not None and bits <= 16 and (most >= 2**bits // DARK or most <= 0):
        return 0, 2**bits - 1, True
    if most <= 0:
        return 0, 1, True  # black
    for fewer in DEPTHS:
        if most < 2**fewer:
            return 0, 2**fewer - 1, False
    wide = (2**depth - 1 for depth in (24, 31, 32) if 2**depth // DARK <= most < 2**depth)
    return 0, next(wide, most), False


def _of_floats(values: np.ndarray, least: float, most: float) -> tuple[float, float, bool]:
    """Return the values of black and white of floats, and whether they are sure."""
    if least < 0 and (values < 0).mean() >= FEW:
        if least >= -1.01 and 1 / DARK <= most <= 1.01:
            return -1, 1, False  # as some networks want them
        return least, most if most > least else 0, False
    if most <= 0:
        return 0, 1, True  # black
    if most <= 1:
        return (0, 1, True) if most >= 1 / DARK else (0, most, False)
    if (values > 1).mean() < FEW or most < 1.1:
        return 0, 1, False  # a few highlights
    for fewer in DEPTHS:
        if 2**fewer / DARK <= most < 2**fewer:
            return 0, 2**fewer - 1, fewer == DEPTHS[0]
    return 0, most, False
