"""The notebook's and PyTorch's side of the benchmark: they train the notebook's models and no other."""

import re

import numpy as np
import pytest

from benchmarks import notebook, run
from cifar10 import params

REFERENCE = params.load().report.reference


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    """A function that runs a side for one epoch of 40 images, checks its models, and returns its output."""
    monkeypatch.chdir(run.ROOT)
    images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    run.save(tmp_path, images, np.arange(40) % 10)

    def train(side):
        side.main(tmp_path, epochs=1)
        printed = capsys.readouterr().out
        parameters = {
            name: int(count.replace(",", "")) for name, count in re.findall(r"(\w+): ([\d,]+) p", printed)
        }
        assert parameters == {name: each.parameters for name, each in REFERENCE.items()}
        return printed

    return train


def test_the_notebook_trains_the_models_of_the_reference(train):
    assert train(notebook).count("2/2 - ") == len(REFERENCE)  # steps of an epoch


def test_pytorch_trains_the_models_of_the_reference(train):
    pytest.importorskip("torch", reason="PyTorch is not installed: `make bench` installs it")
    from benchmarks import pytorch

    assert re.findall(r"(\w+): epoch 1/1", train(pytorch)) == [*REFERENCE]
