"""A checkpoint is used only if it is complete and from the same training."""

import shutil

import keras
import numpy as np
import pytest

from cifar10.training import checkpoint
from cifar10.training.checkpoint import Checkpoint

HISTORY = [{"epoch": 1, "loss": 0.1 + 0.2, "accuracy": 1 / 3, "val_loss": None, "val_accuracy": None}]
HERE = {
    "system": "Linux x86_64",
    "instructions": "AVX2",
    "oneDNN": True,
    "versions": {"keras": "3", "numpy": "2"},
}


def variables(value):
    return [
        keras.Variable(np.full((40, 5), value, np.float32)),
        keras.Variable(np.full(3, value, np.float32)),
    ]


@pytest.fixture
def saved(tmp_path):
    state = Checkpoint(tmp_path / "checkpoints/model_0.npz", "key", HERE)
    state.save(HISTORY, variables(0.3))
    return state


def test_the_state_comes_back_bit_for_bit(saved):
    restored = variables(0)
    assert saved.load(restored) == HISTORY
    for ours, theirs in zip(restored, variables(0.3), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_a_checkpoint_of_another_training_is_not_used(saved):
    untouched = variables(7)
    other = Checkpoint(saved.path, "another key", HERE)
    assert other.load(untouched) == []
    assert (untouched[0].numpy() == 7).all()
    assert other.refusal() == "parameters, images or code have changed since"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"instructions": "AVX512_CORE"},
            "computed on Linux x86_64, AVX2; this is Linux x86_64, AVX512_CORE",
        ),
        ({"system": "Darwin arm64"}, "computed on Linux x86_64, AVX2; this is Darwin arm64, AVX2"),
        ({"oneDNN": False}, "computed on Linux x86_64, AVX2; this is Linux x86_64, AVX2, without oneDNN"),
        ({"versions": {"keras": "4", "numpy": "2"}}, "computed with keras 3 (here 4)"),
    ],
)
def test_a_checkpoint_of_another_arithmetic_is_not_used_and_the_reason_is_named(saved, change, reason):
    untouched = variables(7)
    elsewhere = Checkpoint(saved.path, "key", HERE | change)
    assert elsewhere.load(untouched) == []
    assert (untouched[0].numpy() == 7).all()
    assert elsewhere.refusal() == f"it was {reason}"


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_half_a_checkpoint_is_not_used(saved, share):
    content = saved.path.read_bytes()
    saved.path.write_bytes(content[: int(len(content) * share)])
    untouched = variables(7)
    assert saved.load(untouched) == []
    assert (untouched[0].numpy() == 7).all()
    assert saved.refusal() == "it is damaged"


def test_a_checkpoint_with_a_flipped_bit_is_not_used(saved):
    content = bytearray(saved.path.read_bytes())
    place = content.index(np.float32(0.3).tobytes() * 4)  # within the weights
    content[place] ^= 1
    saved.path.write_bytes(content)
    assert saved.load(variables(7)) == []


def test_none_is_an_empty_history(tmp_path):
    none = Checkpoint(tmp_path / "none.npz", "key", HERE)
    assert none.load(variables(7)) == []
    assert none.refusal() is None


def test_a_failed_write_leaves_the_one_before(saved, tmp_path):
    class Broken:
        def numpy(self):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        saved.save([*HISTORY, *HISTORY], [Broken()])
    assert saved.load(variables(0)) == HISTORY
    assert list(saved.path.parent.iterdir()) == [saved.path]


def test_the_key_tells_settings_data_and_code_apart(tmp_path, monkeypatch):
    data = tmp_path / "images.npy"
    data.write_bytes(b"images")
    shutil.copytree("cifar10", tmp_path / "cifar10")
    monkeypatch.setattr(checkpoint, "LIBRARY", tmp_path / "cifar10")
    keys = [checkpoint.key({"epochs": 1}, [data])]
    assert checkpoint.key({"epochs": 1}, [data]) == keys[0]
    keys.append(checkpoint.key({"epochs": 2}, [data]))
    data.write_bytes(b"other images")
    keys.append(checkpoint.key({"epochs": 1}, [data]))
    for name in ("training/loop.py", "data/dataset.py", "arithmetic.py"):
        (tmp_path / "cifar10" / name).open("a").write("# changed\n")
        keys.append(checkpoint.key({"epochs": 1}, [data]))
    assert len(set(keys)) == 6
    for name in ("progress.py", "paths.py", "data/download.py", "report/plots.py", "app/server.py"):
        (tmp_path / "cifar10" / name).open("a").write("# changed\n")
    assert checkpoint.key({"epochs": 1}, [data]) == keys[-1]
