"""Weights of bases from an address: fetched by the stage `download`, checked, kept, used by a training."""

import hashlib
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

from cifar10 import params, paths
from cifar10.data import base_weights, preparation
from cifar10.errors import UserError
from cifar10.training import prepared
from cifar10.training.backbones import base
from stages import download
from tests import scratch
from tests.hosts import Host, closed, serving

NETWORK = "MobileNet"  # the fastest to build
LAYERS = [{"Dense": {"units": "num_classes", "activation": "softmax"}}]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Random weights of a network in both formats of Keras: the network, and the contents by ending."""
    keras.utils.set_random_seed(7)
    made = getattr(keras.applications, NETWORK)(include_top=False, weights=None, input_shape=(32, 32, 3))
    folder = tmp_path_factory.mktemp("weights")
    made.save_weights(folder / "x.weights.h5")
    made.save(folder / "x.h5")
    return made, {name: (folder / f"x{name}").read_bytes() for name in (".weights.h5", ".h5")}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["download.py"])


def choose(url, content):
    """Write params.yaml with a base whose weights come from an address, or without it if that is None."""
    scratch.write_params(Path(), source="digits", cifar10={"window": 0.5})
    chosen = yaml.safe_load(Path("params.yaml").read_text())
    option = {"weights": url, "sha256": hashlib.sha256(content).hexdigest(), "image_size": 32}
    with_base = {"optimizer": {"SGD": {}}, "base": {NETWORK: option}, "layers": LAYERS}
    chosen["models"] = {"m": with_base} if url else {"m": {"optimizer": {"SGD": {}}, "layers": LAYERS}}
    chosen["predict"]["mirror"] = []
    Path("params.yaml").write_text(yaml.safe_dump(chosen, sort_keys=False))
    return params.load()


@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_weights_are_fetched_once_and_used(saved, ending):
    theirs, contents = saved
    host = Host(contents[ending])
    with serving(host) as urls:
        url = urls[0].replace("archive.tar.gz", f"no_top{ending}?version=2")
        chosen = choose(url, contents[ending])
        assert preparation.needs_download(chosen) is True
        download.main()
        download.main()
    assert host.asked == [None]
    assert preparation.needs_download(chosen) is False
    assert [path.suffixes for path in paths.RAW.glob("weights/*")] == [
        [f".{x}" for x in ending[1:].split(".")]
    ]
    made = prepared.prepare("m", chosen, np.arange(20) % 10, [*"abcdefghij"])
    ours = [value for layer in base.layers(made.model) for value in layer.get_weights()]
    for found, expected in zip(ours, theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    choose(None, b"")
    download.main()
    assert [path.name for path in paths.RAW.iterdir()] == ["source.json"]


def test_a_damaged_file_is_refused_and_fetched_again(saved):
    content = saved[1][".h5"]
    with serving(Host(content)) as urls:
        chosen = choose(f"{urls[0]}.h5", content)
        base_weights.place(chosen)
        (path,) = paths.RAW.glob("weights/*")
        path.write_bytes(content[:-1])
        key = rf"models\.m\.base\.{NETWORK}\.weights: "
        with pytest.raises(
            UserError, match=rf"{key}{path} has the SHA-256 .*, expected sha256, {path.stem}$"
        ):
            prepared.prepare("m", chosen, np.arange(20) % 10, [*"abcdefghij"])
        base_weights.place(chosen)
    assert path.read_bytes() == content


@pytest.mark.parametrize("fault", ["other bytes", "404", "refused"])
def test_an_address_without_the_file_is_one_line_that_names_the_key(fault):
    host = Host(b"other", status=404 if fault == "404" else 200)
    with serving(host) as urls, pytest.raises(UserError) as raised:
        base_weights.place(choose(closed() if fault == "refused" else urls[0], b"content"))
    assert str(raised.value).startswith(f"params.yaml: models.m.base.{NETWORK}.weights: could not download ")
    assert fault in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not [*paths.RAW.glob("weights/*")]
