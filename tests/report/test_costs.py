"""Costs of an answer: multiply-adds of all passes and trainings, and their figure."""

from pathlib import Path

import pytest

from cifar10 import params, paths
from cifar10.files import read_json, write_json
from cifar10.report import cost_plot, costs, render, results
from tests import plausible

SEEDS = [0, 4]


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> results.Results:
    skills = {"model_0": 3.0, "model_1": 2.0}
    monkeypatch.chdir(plausible.write(tmp_path, images=100, skills=skills, seeds=SEEDS))
    return results.load([*skills], SEEDS)


def test_the_cost_is_that_of_all_passes_and_trainings(found: results.Results) -> None:
    # by hand: 30 * 30 * 27 * 16 + 13 * 13 * 144 * 32 + 4 * 4 * 288 * 64 + 256 * 256 + 256 * 10
    first, second = costs.find(found, ["model_1"])
    assert (first.passes, first.multiply_adds, first.ensemble) == (1, 1_530_560, 2 * 1_530_560)
    # by hand: 30 * 30 * 27 * 8 + 13 * 13 * 72 * 16 + 4 * 4 * 144 * 32 + 128 * 3000 + 3000 * 1000 + 10_000
    assert (second.passes, second.multiply_adds, second.ensemble) == (2, 2 * 3_856_816, 4 * 3_856_816)
    assert (first.parameters, first.bytes) == (91_946, 1_140_000)


def test_the_points_are_single_trainings_and_ensembles_with_their_intervals(found: results.Results) -> None:
    points = costs.points(costs.find(found, []))
    assert [(point.name, point.trainings, point.multiply_adds) for point in points] == [
        *(("model_0", 1, 1_530_560), ("model_0", 2, 3_061_120)),
        *(("model_1", 1, 3_856_816), ("model_1", 2, 7_713_632)),
    ]
    model = found.models[0]
    mean, together = model.metrics["test"]["accuracy"], model.ensemble
    assert together
    expected = [
        (mean["mean"], mean["low"], mean["high"]),
        (together["accuracy"], together["accuracy_low"], together["accuracy_high"]),
    ]
    assert [(point.accuracy, point.low, point.high) for point in points[:2]] == expected
    (axes,) = cost_plot.accuracy(points, ["model_0", "model_1"]).axes
    drawn = [line.get_xydata().tolist() for line in axes.lines if line.get_linestyle() == ":"]
    assert drawn == [
        [[p.multiply_adds, p.accuracy] for p in points if p.name == n] for n in ("model_0", "model_1")
    ]
    bars = [bar.get_segments()[0][:, 1].tolist() for bar in axes.collections]
    assert bars == [pytest.approx([point.low, point.high]) for point in points]
    faces = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"]
    assert faces[0] != faces[1] == "white"


def test_an_unknown_layer_makes_the_cost_unknown(found: results.Results) -> None:
    layers = read_json(paths.architecture("model_1", 0))
    write_json(paths.architecture("model_1", 0), [*layers[:-1], {**layers[-1], "multiply_adds": None}])
    again = results.load(["model_0", "model_1"], SEEDS)
    cost = costs.find(again, [])[1]
    assert cost.multiply_adds is cost.ensemble is None
    assert {point.name for point in costs.points(costs.find(again, []))} == {"model_0"}
    assert "| model_1 | unknown | unknown | 3,404,042 | 1.1 MB |" in render.markdown(again, params.load())


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        *((None, "unknown"), (0, "0"), (49_999, "49,999"), (50_000, "0.05 M"), (1_530_560, "1.53 M")),
        *((9_996_000, "10.0 M"), (57_289_216, "57.3 M"), (114_578_432, "115 M"), (999_600_000, "1.00 G")),
    ],
)
def test_words(count: int | None, expected: str) -> None:
    assert costs.words(count) == expected
