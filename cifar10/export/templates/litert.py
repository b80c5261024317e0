"""Classify a photograph: `python example.py photo.jpg`. It needs numpy, pillow and ai-edge-litert."""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

folder = Path(__file__).parent
about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
photo = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
height, width = about["input"]["shape"][1:3]
pixels = np.asarray(ImageOps.fit(photo, (width, height)))[np.newaxis]  # the central part, bicubic
classify = Interpreter(str(folder / about["file"])).get_signature_runner()
probabilities = classify(image=pixels)["output_0"][0]
best, least = int(probabilities.argmax()), about["none_of_these"]["largest_probability"] or 0
print(
    "none of these" if probabilities[best] < least else about["classes"][best], f"{probabilities[best]:.2%}"
)
