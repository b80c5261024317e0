"""Files are replaced as a whole, and JSON is valid."""

import json
import math

import numpy as np
import pytest

from cifar10 import files


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_link_into_a_shared_cache_is_replaced_and_the_cache_stays(tmp_path, link):
    """With cache.type symlink or hardlink, an output is a link to a read-only object of the cache."""
    cached, path = tmp_path / "cache/ab/cdef", tmp_path / "models/seed_0.h5"
    for each in (cached, path):
        each.parent.mkdir(parents=True)
    cached.write_bytes(b"the old model")
    getattr(path, link)(cached)
    cached.chmod(0o444)
    cached.parent.chmod(0o555)
    with files.replacing(path) as beside:
        beside.write_bytes(b"the new model")
    cached.parent.chmod(0o755)
    assert not path.is_symlink()
    assert path.read_bytes() == b"the new model"
    assert cached.read_bytes() == b"the old model"


def test_json_has_null_for_numbers_that_are_not_finite(tmp_path):
    value = {
        "a": math.nan,
        "b": [math.inf, (1.5, -math.inf)],
        "c": {"d": np.float64("nan"), "e": "NaN"},
    }
    files.write_json(tmp_path / "x.json", value)
    text = (tmp_path / "x.json").read_text()
    found = json.loads(text, parse_constant=pytest.fail)
    assert found == {"a": None, "b": [None, [1.5, None]], "c": {"d": None, "e": "NaN"}}


@pytest.mark.parametrize("indent", [2, None])
def test_json_is_valid_utf_8_whatever_a_text_holds(tmp_path, indent):
    value = {"caf\udce9.png": "\ud83d half a pair", "whole": "\U0001f600 é"}
    content = files.json_text(value, indent).encode()
    assert json.loads(content) == value
    assert content.count(b"\n") == (0 if indent is None else 3)
    files.write_json(tmp_path / "x.json", value)
    assert files.read_json(tmp_path / "x.json") == value


@pytest.mark.parametrize("value", [{"b": 0.1, "a": [True, None, 3, "é"]}, [], {}, 1e-300, "x"])
def test_other_values_are_as_they_were(tmp_path, value):
    files.write_json(tmp_path / "x.json", value)
    assert (tmp_path / "x.json").read_text() == json.dumps(value, indent=2, ensure_ascii=False) + "\n"
