"""The pictures, the table and the figure of benchmarks/learning_curve.py."""

import json

import numpy as np
import pytest

from benchmarks import learning_curve, learning_curve_report
from cifar10 import machine, params, paths
from cifar10.data.dataset import Split

LABELS = np.repeat(np.arange(3), 20)
DATA = Split(np.arange(60), LABELS)


def test_pictures_are_drawn_per_class_and_smaller_numbers_are_parts_of_larger_ones():
    few, more = (learning_curve.subset(DATA, count, seed=1) for count in (2, 7))
    assert [*np.bincount(few.labels)] == [2, 2, 2]
    assert [*np.bincount(more.labels)] == [7, 7, 7]
    assert {*few.images} < {*more.images}
    assert [*LABELS[few.images]] == [*few.labels]
    assert {*learning_curve.subset(DATA, 7, seed=2).images} != {*more.images}
    assert learning_curve.subset(DATA, "all", seed=1) is DATA


def test_the_table_has_means_and_ranges():
    chosen = learning_curve.with_pretrained(params.load())
    assert chosen.model(learning_curve.PRETRAINED).base.train == "none"
    rows = [
        {"model": name, "per_class": each, "seed": seed, "images": images, "accuracy": accuracy + seed / 50}
        for name, accuracy in (("pretrained", 0.6), ("model_0", 0.2))
        for each, images in ((10, 30), ("all", 1200))
        for seed in (0, 1)
        if (name, each) != ("model_0", "all")
    ]
    found = {"rows": rows, "steps": 600, "data": "digits", "machine": machine.describe()}
    lines = learning_curve_report.markdown(found).splitlines()
    assert lines[2] == "| pictures per class | pretrained | model_0 |"
    assert lines[4] == "| 10 | 61.0 % (60.0 to 62.0) | 21.0 % (20.0 to 22.0) |"
    assert lines[5] == "| 400 | 61.0 % (60.0 to 62.0) | - |"
    assert "of 2 seeds" in lines[7]
    (axes,) = learning_curve_report.chart(found).axes
    assert [*axes.lines[0].get_xdata()] == [10, 400]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.61, 0.61])


def test_all_pictures_of_a_model_are_those_of_the_pipeline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = paths.evaluation("model_0", 1)
    file.parent.mkdir(parents=True)
    file.write_text('{"test": {"accuracy": 0.625}}')
    assert learning_curve.of_pipeline("model_0", 1) == 0.625
    assert learning_curve.of_pipeline("model_0", 2) is None


def test_rows_of_other_conditions_are_not_mixed(tmp_path):
    known = {"machine": {"cores": 2}, "data": "digits", "steps": 600, "rows": [{"seed": 0}]}
    file = tmp_path / "curve.json"
    file.write_text(json.dumps(known))
    assert learning_curve.earlier(file, known | {"rows": []}) == [{"seed": 0}]
    with pytest.raises(SystemExit, match=r"curve\.json: expected the steps 300, found 600: leave out --add"):
        learning_curve.earlier(file, known | {"steps": 300})
