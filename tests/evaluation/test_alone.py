"""The outputs of an image depend only on the image, bit for bit, on every kind of processor."""

import subprocess

import pytest

from cifar10 import arithmetic, machine
from tests.conftest import COLD, ENVIRONMENT, WARM

pytestmark = pytest.mark.slow
MODELS = ["model_0", "model_2", "convolutional", "mean over places"]


def compared(*instructions, **environment):
    """Run the comparison with each instruction set; return the digest of some outputs for each."""
    command = ["python", "tests/alone.py", *instructions]
    done = subprocess.run(command, env=ENVIRONMENT | environment, capture_output=True, text=True, check=True)
    printed = done.stdout.splitlines()
    digests = dict(line.split(": ") for line in printed if line.count(": ") == 1)
    expected = []
    for each in instructions:
        names = [*MODELS, "model_3"] if each == "AVX2" else MODELS
        expected += [f"{each}: {digests[each]}", *(f"{each}: {name}: compared" for name in names)]
    assert printed == expected
    return digests


def test_answers_do_not_depend_on_other_images_without_onednn():
    compared("none", **COLD)


@pytest.mark.usefixtures("dvc")  # starts the server of warm programs
def test_answers_do_not_depend_on_other_images():
    digests = compared("SSE41", "AVX2", "AVX512_CORE", **WARM)
    if machine.is_x86_64() and arithmetic.INSTRUCTIONS["AVX2"] <= machine.flags():
        assert digests["SSE41"] != digests["AVX2"]  # each fork computes with its own instructions
