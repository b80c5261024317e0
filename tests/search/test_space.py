"""The overrides of a search become Optuna's distributions; needs no training."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from cifar10.errors import UserError
from cifar10.search import space

RATE = "models.model_2.optimizer.SGD.learning_rate"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("interval(0.1,0.5)", FloatDistribution(0.1, 0.5)),
        ("tag(log, interval(1e-5, 1e-1))", FloatDistribution(1e-5, 1e-1, log=True)),
        ("int(interval(1, 8))", IntDistribution(1, 8)),
        ("tag(log, int(interval(1, 64)))", IntDistribution(1, 64, log=True)),
        ("range(1, 8, 2)", IntDistribution(1, 7, step=2)),
        ("range(0.1, 0.5, 0.2)", FloatDistribution(0.1, 0.3, step=0.2)),
        ("choice(0.1, 0.5)", CategoricalDistribution(["0.1", "0.5"])),
        ("0.1,0.5", CategoricalDistribution(["0.1", "0.5"])),
    ],
)
def test_a_range_in_the_syntax_of_hydra_is_a_distribution(values, expected):
    assert space.read([f"{RATE}={values}"], "model_2").ranges == {RATE: expected}


def test_values_that_do_not_vary_are_part_of_the_parameters():
    found = space.read(["train.epochs=3", "train.seeds=[5]", f"{RATE}=0.1,0.5"], "model_2")
    assert found.fixed == ["train.epochs=3", "train.seeds=[5]"]
    assert (found.parameters.train.epochs, found.parameters.train.seeds) == (3, [5])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], "expected a parameter with a range"),
        (["train.epochs=3"], "expected a parameter with a range"),
        (["train.epoch=1,2"], "train.epoch=1: no such key"),
        (["train.epochs=range(0,3)"], "got 0, expected greater than or equal to 1"),
        (["train.epochs=interval(1,3)"], "got 1.0, expected a valid integer"),
        (["train.seeds=[1],[2]"], "expected one list"),
        (["data.seed=1,2"], "under `train` or `models`"),
        (["models.model_1.optimizer.Adam.learning_rate=0.1,0.2"], "under train or models.model_2"),
        ([f"{RATE}=interval(0.5,0.1)"], "not a range: `low <= high`"),
        ([f"{RATE}=tag(log, interval(0,1))"], "not a range: `low > 0`"),
        ([f"{RATE}=interval(a,b)"], "Error parsing override"),
        (["train.epochs=range(3,3)"], "not a range: it has no values"),
        (
            ["+models.model_2.train={epochs: 2}", "train.epochs=1,3"],
            "train.epochs: has no effect, models.model_2.train.epochs replaces it",
        ),
        ([f"{RATE}=glob(*)"], "expected choice(...), range(...) or interval(...)"),
    ],
)
def test_a_mistake_is_one_line(overrides, words):
    with pytest.raises(UserError) as error:
        space.read(overrides, "model_2")
    assert words in str(error.value)
    assert str(error.value).startswith("--set")
    assert "\n" not in str(error.value)
