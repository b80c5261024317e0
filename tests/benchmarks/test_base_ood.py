"""The table of benchmarks/base_ood.py."""

import json

from benchmarks import base_ood
from cifar10 import machine, paths


def test_the_table_has_means_over_the_seeds_and_models_measured_with_each(tmp_path, monkeypatch):
    for name, seeds in (("a", (0, 1)), ("b", (0,))):
        for seed in seeds:
            evaluation, ood = paths.evaluation(name, seed), paths.ood_metrics(name, seed)
            for file, content in (
                (evaluation, {"test": {"accuracy": 0.5 + seed / 10}}),
                (
                    ood,
                    {
                        "parts": ["msp"],
                        "auroc": 0.7 + seed / 10,
                        "corrupted": {"jpeg": 0.9, "blur": seed / 2},
                        "scores": {
                            "combined": {"tpr": 0.95, "auroc": {"digits": 0.8, "faces": 0.6 + seed / 5}}
                        },
                    },
                ),
            ):
                (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / file).write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    rows = base_ood.of_pipeline("a", [0, 1])
    assert base_ood.of_pipeline("b", [0, 1]) == []
    models = {base_ood.PRETRAINED: rows, "a": rows, "b": []}
    found = {"seeds": [0, 1], "models": models, "data": "digits", "machine": machine.describe()}
    lines = base_ood.markdown(found).splitlines()
    assert lines[2] == "| model | test accuracy | mean AUROC | digits | faces |"
    assert lines[5:7] == ["| a | 55.0 % | 0.750 | 0.80 | 0.70 |", ""]
    assert lines[11] == "| model | test images | JPEG, quality 30 | Gaussian blur, radius 1 pixel |"
    assert lines[14:16] == ["| a | 95.0 % | 90.0 % | 25.0 % |", ""]
