"""The grid of a sweep and its table; needs no cluster."""

import re

import numpy as np
import pytest

from cifar10 import params
from cifar10.cluster import sweep
from cifar10.errors import UserError

ENTRIES = params.load().models
MODELS = list(ENTRIES)
RATE = "models.model_0.optimizer.Adam.learning_rate"


def labels(*overrides):
    return sorted(point.label for point in sweep.points(list(overrides)))


def load(point, tmp_path):
    (tmp_path / "params.yaml").write_text(point.parameters)
    return params.load(tmp_path / "params.yaml")


def test_nothing_set_is_one_training_per_model_and_seed_with_the_parameters_as_they_are(tmp_path):
    points = sweep.points([])
    assert [point.label for point in points] == [
        f"{name} seed {seed}" for name in MODELS for seed in (0, 1, 2)
    ]
    assert load(points[0], tmp_path) == params.load()


def test_seeds_are_set_in_the_parameters_and_nothing_else_is(tmp_path):
    points = sweep.points(["train.seeds=[1,5]"])
    assert [(point.model, point.seed) for point in points] == [(n, seed) for n in MODELS for seed in (1, 5)]
    assert points[1].label == f"{MODELS[0]} seed 5"
    for point in points:
        expected = params.load().model_dump()
        expected["train"]["seeds"] = [1, 5]
        assert load(point, tmp_path).model_dump() == expected


def test_seeds_that_several_lists_have_are_trained_once():
    assert labels("train.seeds=[1,2],[2,3]") == sorted(
        f"{n} seed {seed}" for n in MODELS for seed in (1, 2, 3)
    )


def test_several_keys_give_their_grid_and_a_models_own_key_trains_no_other_model():
    found = labels("train.seeds=[1,2]", f"{RATE}=0.1,0.2,0.3")
    assert len(found) == 2 * 3 + (len(MODELS) - 1) * 2
    assert f"model_0 seed 2 {RATE}=0.3" in found
    assert "model_1 seed 2" in found


def test_a_default_that_a_model_replaces_trains_it_once():
    found = labels("train.seeds=[1]", "+models.model_0.train={epochs: 2}", "train.epochs=3,4")
    own = [name for name in MODELS if name == "model_0" or "epochs" in ENTRIES[name].train.model_fields_set]
    assert own == ["model_0", "model_3"]
    assert len(found) == len(own) + (len(MODELS) - len(own)) * 2


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.sed=1", ["train.sed", "no such key"]),
        ("train.seed=1", ["train.seed", "no such key"]),
        ("train.seeds=x", ["train.seeds", "'x'", "list"]),
        ("train.seeds=1", ["train.seeds", "got 1", "list"]),
        ("train.seeds=[1,1]", ["train.seeds", "expected different seeds"]),
        ("train.epochs=0", ["train.epochs", "greater than or equal to 1"]),
        ("train.seeds", ["expected KEY=VALUE"]),
        ("data.seed=1,2", ["under `train` or `models`", "commit"]),
    ],
)
def test_a_mistake_is_one_line(override, words):
    with pytest.raises(UserError) as error:
        sweep.points([override])
    message = str(error.value)
    assert message.startswith(f"--set {override}: ")
    assert "\n" not in message
    assert "/" not in message.replace("1,2", "")  # no path of a temporary file
    assert [word for word in words if word not in message] == []


def measured(accuracy, validation=True):
    metrics = {
        "test": {"accuracy": accuracy, "loss": 1 - accuracy},
        "train": {"accuracy": accuracy / 2, "loss": 2 - accuracy},
    }
    return metrics | ({"validation": {"accuracy": accuracy / 4}} if validation else {})


def test_the_table_gives_mean_and_sample_deviation_over_the_seeds_of_each_setting():
    points = sweep.points(["train.seeds=[1,2,3]", f"{RATE}=0.1,0.2"])
    accuracies = dict(zip((p.label for p in points), np.linspace(0.1, 0.9, len(points)), strict=True))
    text = sweep.table((point, measured(accuracies[point.label])) for point in points)
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    assert rows[0][:4] == ["model", RATE, "trainings", "test accuracy"]
    assert [row[:3] for row in rows[2:]] == [
        ["model_0", "0.1", "3"],
        ["model_0", "0.2", "3"],
        *([name, "", "3"] for name in MODELS[1:]),
    ]
    for row in rows[2:]:
        values = [
            100 * accuracies[p.label]
            for p in points
            if p.model == row[0] and dict(p.settings).get(RATE, "") == row[1]
        ]
        mean, spread = map(float, re.findall(r"[\d.]+", row[3]))
        assert mean == pytest.approx(np.mean(values), abs=0.005)
        assert spread == pytest.approx(np.std(values, ddof=1), abs=0.005)


def test_a_single_training_has_no_spread_and_a_missing_validation_no_column():
    text = sweep.table([(sweep.points([])[0], measured(0.5, validation=False))])
    assert "| model_0 | 1 | 50.00 % | 0.5000 | 25.00 % | 1.5000 |" in text
    assert "validation accuracy" not in text
    assert "evaluated for 1 training. Do not choose by them: set `data.validation_fraction`" in text


def test_the_table_marks_the_best_validation_accuracy_and_counts_the_uses_of_the_test_images():
    points = sweep.points(["train.seeds=[1,2]", f"{RATE}=0.1,0.2"])
    best_on_test = {
        point.label: measured(0.9 if point.settings == ((RATE, "0.1"),) else 0.5) for point in points
    }
    for point in points:
        if point.settings == ((RATE, "0.2"),):
            best_on_test[point.label]["validation"]["accuracy"] = 0.8
    text = sweep.table((point, best_on_test[point.label]) for point in points)
    assert [line.split(" | ")[1] for line in text.splitlines() if "**" in line] == ["0.2"]
    assert "**80.00 ± 0.00 %** |" in text
    assert "Test images were evaluated for 10 trainings; choose by validation accuracy." in text
