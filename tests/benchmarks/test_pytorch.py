"""The side of plain PyTorch: it trains the notebook's models and no other."""

import re

import numpy as np
import pytest

from benchmarks import run
from cifar10 import params


def test_the_models_are_those_of_the_reference_with_its_numbers_of_parameters(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(run.ROOT)
    images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    run.save(tmp_path, images, np.arange(40) % 10)
    pytest.importorskip("torch", reason="PyTorch is not installed: `make bench` installs it")
    from benchmarks import pytorch

    pytorch.main(tmp_path, epochs=1)
    printed = capsys.readouterr().out
    reference = params.load().report.reference
    parameters = {
        name: int(count.replace(",", "")) for name, count in re.findall(r"(\w+): ([\d,]+) p", printed)
    }
    assert parameters == {name: each.parameters for name, each in reference.items()}
    assert re.findall(r"(\w+): epoch 1/1", printed) == [*reference]
