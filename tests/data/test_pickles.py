import collections
import os
import pickle

import numpy as np
import pytest

from cifar10.data import pickles


class Call:
    """Make the unpickler call `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


ARRAYS = [
    np.arange(6, dtype=np.uint8).reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
    np.arange(6, dtype=">i4"),
    np.arange(12, dtype=np.float32).reshape(2, 6)[:, ::2],
    np.zeros((0, 3), np.uint8),
    np.array(7, np.int16),
    np.array([True, False]),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_come_back(array, protocol):
    values = {"array": array, b"bytes": b"\x00\xff", "empty": b"", "rest": [1, 2.5, None, "\u00e9", (True,)]}
    content = pickles.load(pickle.dumps(values, protocol))
    assert content["array"].dtype == array.dtype
    assert np.array_equal(content["array"], array)
    assert content["array"].shape == array.shape
    assert (content["bytes"], content["empty"], content["rest"]) == (b"\x00\xff", b"", values["rest"])


def test_names_of_numpy_1_are_known():
    payload = pickle.dumps({"array": ARRAYS[0]}, 2)
    assert b"numpy._core.multiarray" in payload
    content = pickles.load(payload.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert np.array_equal(content["array"], ARRAYS[0])


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_before_it_runs(tmp_path, protocol):
    witness = tmp_path / "witness"
    hostile = {"data": ARRAYS[0], "labels": Call(os.system, f"touch {witness}")}
    with pytest.raises(ValueError, match=r"asks for (posix|nt).system: refused, nothing was run"):
        pickles.load(pickle.dumps(hostile, protocol))
    assert not witness.exists()
    pickle.loads(pickle.dumps(hostile, protocol))
    assert witness.exists(), "the test's own pickle is harmless"


@pytest.mark.parametrize(
    "hostile",
    [
        Call(eval, "1"),
        Call(getattr, 1, "real"),
        Call(open, "x", "w"),
        Call(__import__, "os"),
        Call(collections.OrderedDict),
        Call(np.load, "x"),
        Call(np.frombuffer, b"x"),
        np.float64(1),
        np.ma.array([1]),
        np.random.default_rng(0),
        pickle.PickleBuffer,
        {1},
        object(),
    ],
)
def test_nothing_else_is_let_in(hostile):
    with pytest.raises(ValueError, match="refused"):
        pickles.load(pickle.dumps({"x": hostile}, 2))


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"an": "object"}]),
        np.array(["text"]),
        np.array([b"bytes"]),
        np.zeros(2, [("a", "u1")]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, complex),
        np.zeros(2, "V8"),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_anything_but_numbers_are_refused(array):
    with pytest.raises(ValueError, match="expected numbers"):
        pickles.load(pickle.dumps({"x": array}, 2))


@pytest.mark.parametrize(
    "value",
    [
        b"\x8c\x05numpy\x8c\x0dndarray.dumps\x93",  # a dotted name
        b"\x8c\x05numpy\x8c\x07ndarray\x93)\x81",  # ndarray.__new__()
        b"cnumpy\nndarray\n)R",  # ndarray()
        b"cnumpy\ndtype\n}\x8c\x01xK\x01sb",  # set an attribute of dtype
        b"cnumpy\ndtype\nN}\x8c\x09_functionK\x01s\x86b",  # ... by the state of slots
        b"c_codecs\nencode\n}b",  # ... of encode
        b"cnumpy\ndtype\n\x8c\x02u1K\x00K\x01\x87R}\x8c\x05value]sb",  # invalid state of a dtype
        b"(inumpy\nload\n",  # INST
        b"(cos\nsystem\nS'true'\no",  # OBJ
        b"Pname\n",  # a persistent name
        b"\x82\x01",  # a registered extension
        b"c__builtin__\nbytes\nJ\xff\xff\xff\x7f\x85R",  # two gigabytes of zeros
        b"c_codecs\nencode\n\x8c\x01a\x8c\x05rot13\x86R",
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x09\x85"
        b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89U\x01xtb",  # nine bytes announced, one present
    ],
)
def test_values_made_by_hand_are_refused(value):
    with pytest.raises(ValueError, match=r".+"):
        pickles.load(b"\x80\x04}\x8c\x01x" + value + b"s.")
    assert np.array_equal(pickles.load(pickle.dumps({"x": ARRAYS[0]}, 2))["x"], ARRAYS[0]), "it left a mark"
