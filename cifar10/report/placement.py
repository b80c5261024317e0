"""Places of pictures on axes whose unit is the side of a square cell."""

from typing import Any

import numpy as np
from matplotlib.patches import Rectangle


def within(left: float, top: float, picture: np.ndarray) -> tuple[float, float, float, float]:
    """Return the extent of a picture in the middle of a cell of side 1, in the picture's own shape.

    Args:
        left: of the cell.
        top: of the cell; the vertical axis points down.
        picture: (H, W, 3).

    Returns:
        Left, right, bottom and top of the picture, as `extent` of `Axes.imshow`.
    """
    height, width = picture.shape[:2]
    wide, high = width / max(height, width), height / max(height, width)
    left, top = left + (1 - wide) / 2, top + (1 - high) / 2
    return left, left + wide, top + high, top


def framed(extent: tuple[float, float, float, float], **style: Any) -> Rectangle:
    """Return a frame around an extent from `within`; `style` is passed to the rectangle."""
    left, right, bottom, top = extent
    return Rectangle((left, top), right - left, bottom - top, fill=False, **style)
