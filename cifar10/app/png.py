"""Write pictures, uint8 (H, W, 3), as PNG."""

import base64
import io

import numpy as np
from PIL import Image


def encode(picture: np.ndarray) -> bytes:
    """Return the content of a PNG file."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


def data_url(picture: np.ndarray) -> str:
    """Return a PNG as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(encode(picture)).decode('ascii')}"
