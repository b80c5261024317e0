"""What the benchmark says is computed right; its sides are run by `make bench`, not here."""

import os
import subprocess
import sys

import pytest

from benchmarks import outcome, peak
from cifar10 import models, params

REPORT = {
    "machine": {
        "processor": "a processor",
        "cores": 2,
        "memory_bytes": 24e9,
        "system": "Linux",
        "python": "3.11",
    },
    "settings": {
        "models": ["a", "b"],
        "epochs": 10,
        "images": 1000,
        "batch_size": 32,
        "jobs": 2,
        "repeats": 3,
    },
    "sides": {
        "notebook": {"seconds": 100.0, "peak_bytes": 3_100_000_000, "runs": []},
        "pipeline": {"seconds": 25.0, "peak_bytes": 900_000_000, "runs": []},
    },
    "growth": {
        "epochs": 2,
        "images_of_models": 200,
        "seconds_by_models": {"1": 5.0, "2": 6.0},
        "seconds_by_images": {"100": 5.0, "1000": 9.0},
    },
    "peak": {"flops_per_second": 1e11, "flops_per_image": {"a": 1e7, "b": 4e7}},
}


def test_rows_by_hand():
    notebook, pipeline = outcome.rows(REPORT)
    assert (notebook["ratio"], pipeline["ratio"]) == (1, 0.25)
    assert pipeline["rate"] == 1000 * 10 * 2 / 25
    assert pipeline["share"] == pytest.approx(1000 * 10 * 5e7 / 25 / 1e11)


def test_the_table_says_what_was_measured():
    text = outcome.markdown(REPORT)
    assert "| this pipeline | 25.0 s | 0.25 | 800 | 20% | 0.90 GB |" in text
    for words in (
        "10 epochs of 1,000 images",
        "3 times in turn, medians",
        "a processor, 2 cores",
        "100 GFLOP/s",
    ):
        assert words in text


def test_the_chart_can_be_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome.write(REPORT)
    assert sorted(path.suffix for path in (tmp_path / "reports").iterdir()) == [".json", ".md", ".png"]


def test_operations_of_model_0_by_hand():
    model = models.build("model_0", params.load().models["model_0"], 10)
    first = 30 * 30 * 16 * (3 * 3 * 3)
    others = 13 * 13 * 32 * (3 * 3 * 16) + 4 * 4 * 64 * (3 * 3 * 32) + 256 * 256 + 256 * 10
    assert peak.flops(model) == 2 * (2 * first + 3 * others)


def test_a_number_that_is_none_is_a_clear_error():
    done = subprocess.run(
        [sys.executable, "benchmarks/run.py"],
        env={**os.environ, "EPOCHS": "few"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "error: EPOCHS: got 'few', expected a whole number, 1 or more\n",
    )
