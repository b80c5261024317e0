"""The pictures of benchmarks/photographs.py."""

import numpy as np
import pytest
from PIL import Image

from benchmarks import photographs


def test_squares_of_training_and_test_come_from_different_parts_of_a_photograph(tmp_path):
    columns = np.broadcast_to(np.arange(500, dtype=np.uint16) // 2, (100, 500)).astype(np.uint8)
    Image.fromarray(columns).save(tmp_path / "columns.png")  # the grey value tells the column
    seen = {}
    for split, part in photographs.PARTS.items():
        random = np.random.default_rng(0)
        photographs.write(tmp_path / "columns.png", tmp_path / split, part, 20, random)
        squares = [np.asarray(Image.open(path)) for path in sorted((tmp_path / split).iterdir())]
        assert {square.shape for square in squares} == {(64, 64, 3)}
        seen[split] = [value for square in squares for value in (int(square.min()), int(square.max()))]
    assert len(seen["train"]) == 40
    assert max(seen["train"]) <= 150 < 175 <= min(seen["test"])  # columns 300 and 350, halved


def test_the_command_writes_a_class_per_photograph_and_keeps_a_folder_that_exists(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["photographs.py", f"{tmp_path / 'new'}", "--train", "2", "--test", "1"])
    photographs.main()
    classes = {path.name for path in (tmp_path / "new/train").iterdir()}
    assert classes == {path.name for path in (tmp_path / "new/test").iterdir()}
    assert len(classes) == len(photographs.PHOTOGRAPHS)
    assert len([*(tmp_path / "new").rglob("*.png")]) == 3 * len(classes)
    with pytest.raises(SystemExit, match=r"new: expected a new folder, found one that exists$"):
        photographs.main()
