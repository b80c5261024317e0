"""Classify a photograph: `python example.py photo.jpg`. It needs numpy, pillow, keras and tensorflow."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps

folder = Path(__file__).parent
about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
photo = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
height, width = about["input"]["shape"][1:3]
pixels = np.asarray(ImageOps.fit(photo, (width, height)))[np.newaxis]  # the central part, bicubic
model = keras.saving.load_model(folder / about["file"])
probabilities = np.asarray(model(pixels, training=False))[0]
best, least = int(probabilities.argmax()), about["none_of_these"]["largest_probability"] or 0
print(
    "none of these" if probabilities[best] < least else about["classes"][best], f"{probabilities[best]:.2%}"
)
