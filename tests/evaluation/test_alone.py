"""The outputs of an image depend only on the image, bit for bit, on every kind of processor."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("instructions", ["none", "SSE41", "AVX2", "AVX512_CORE"])
def test_answers_do_not_depend_on_other_images(instructions):
    models = ["model_0", "model_2", "convolutional", "mean over places"]  # model_1 has the layers of model_2
    models += ["model_3"] if instructions == "AVX2" else []  # large; a portable model computes with AVX2
    command = [sys.executable, "tests/elsewhere.py", instructions, "tests/alone.py", *models]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name}: compared" for name in models]
