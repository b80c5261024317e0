"""Training on a GPU: rates and the table of benchmarks/gpu.py."""

import json

from benchmarks import gpu
from cifar10 import files, machine, params, paths


def test_a_rate_counts_the_steps_of_epochs_and_nothing_between_them():
    points = [
        ("epoch 1", 0, 9.0),  # the first steps wait for the compilation
        ("epoch 1", 50, 10.0),
        ("epoch 1", 150, 12.0),
        ("epoch 2", 200, 20.0),  # a validation before
        ("epoch 2", 400, 22.0),
    ]
    assert gpu.rate(points, batch=4) == 4 * 300 / 4
    assert gpu.rate(points[:2], batch=4) is None


def test_a_training_runs_with_other_settings_in_a_folder_of_its_own(tmp_path):
    folder = gpu.prepare(tmp_path / "a", {"device": "gpu", "dtype": "float32"})
    found = params.load(folder / paths.PARAMS)
    assert found.train.device == "gpu"
    assert found.models == params.load().models


def test_the_table_has_a_row_per_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metrics = paths.METRICS / "model_0.json"
    metrics.parent.mkdir(parents=True)
    metrics.write_text(json.dumps({"test": {"accuracies": [0.66, 0.65, 0.67]}}))
    row = {
        "model": "model_0",
        "dtype": "float32",
        "device": "NVIDIA T4",
        "epochs": 10,
        "seconds": [31.2, 30.4],
        "images_per_second": [20000.0, 22000.0],
        "images_per_second_cpu": 5500.0,
        "accuracy": 0.6543,
        "same_bytes": True,
        "same_bytes_after_kill": False,
    }
    short = {**row, "model": "model_9", "images_per_second": [None, None]}
    report = {"machine": machine.describe(), "data": "digits", "seed": 0, "rows": [row, short]}
    lines = gpu.markdown(report).splitlines()
    assert lines[4] == (
        "| model_0 | float32 | 22,000 | 5,500 | 4.0 | 30 s | 65.43% | 65.00% to 67.00% | yes/no |"
    )
    assert lines[5] == "| model_9 | float32 | - | - | - | 30 s | 65.43% | - | yes/no |"
    assert "NVIDIA T4" in lines[7]
    files.write_json(tmp_path / "gpu.json", report)
