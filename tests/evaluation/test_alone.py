"""The outputs of an image depend only on the image, bit for bit, on every kind of processor."""

import subprocess
import sys

import pytest

from cifar10 import arithmetic, machine

pytestmark = pytest.mark.slow
MODELS = ["model_0", "model_2", "convolutional", "mean over places"]


def compared(*instructions):
    """Run the comparison with each instruction set; return the digest of some outputs for each."""
    command = [sys.executable, "tests/alone.py", *instructions]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    digests = dict(line.split(": ") for line in printed if line.count(": ") == 1)
    expected = []
    for each in instructions:
        names = [*MODELS, "model_3"] if each == "AVX2" else MODELS
        expected += [f"{each}: {digests[each]}", *(f"{each}: {name}: compared" for name in names)]
    assert printed == expected
    return digests


def test_answers_do_not_depend_on_other_images_without_onednn():
    compared("none")


def test_answers_do_not_depend_on_other_images():
    digests = compared("SSE41", "AVX2", "AVX512_CORE")
    if machine.is_x86_64() and arithmetic.INSTRUCTIONS["AVX2"] <= machine.flags():
        assert digests["SSE41"] != digests["AVX2"]  # each fork computes with its own instructions
