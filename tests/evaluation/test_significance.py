"""Paired tests against statsmodels and calculations by hand."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from cifar10.evaluation import significance


def hits(right: int, images: int = 1000, start: int = 0) -> np.ndarray:
    """Return a model that classifies `right` images correctly, from index `start` on."""
    correct = np.zeros(images, dtype=bool)
    correct[start : start + right] = True
    return correct


@pytest.mark.parametrize(
    ("first", "second"), [(0, 1), (5, 5), (3, 9), (9, 3), (120, 80), (700, 400), (0, 40)]
)
def test_mcnemar_is_that_of_statsmodels(first: int, second: int) -> None:
    expected = mcnemar([[7, first], [second, 11]], exact=True).pvalue
    assert significance.mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_by_hand() -> None:
    assert significance.mcnemar(0, 5) == pytest.approx(2 / 2**5)  # five tosses, all alike, either way
    assert significance.mcnemar(0, 0) == 1


@pytest.mark.parametrize("number", [1, 2, 5, 11])
def test_holm_is_that_of_statsmodels(number: int) -> None:
    random = np.random.default_rng(number)
    p_values = random.uniform(0, 0.2, number).round(2)  # rounded: with equal values among them
    # it collects garbage, which takes 0.1 s
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(significance.holm(list(p_values)), expected)


def test_holm_of_nothing() -> None:
    assert significance.holm([]) == []


def test_pairs_count_what_only_one_gets_right() -> None:
    correct = {"a": hits(3, 10), "b": hits(5, 10, start=2), "c": hits(5, 10, start=2)}
    a_b, a_c, b_c = significance.pairs(correct)
    assert (a_b.better, a_b.worse, a_b.only_better, a_b.only_worse, a_b.images) == ("b", "a", 4, 2, 10)
    assert a_b.lead == pytest.approx(0.2)
    assert (a_c.better, a_c.worse) == ("c", "a")
    assert (b_c.better, b_c.worse, b_c.lead, b_c.p_value, b_c.corrected) == ("b", "c", 0, 1, 1)


def test_pairs_of_many_models_agree_with_statsmodels() -> None:
    random = np.random.default_rng(1)
    correct = {f"m{index}": random.random(400) < 0.6 + 0.03 * index for index in range(5)}
    pairs = significance.pairs(correct)
    assert len(pairs) == 10
    tables = []
    for pair in pairs:
        better, worse = correct[pair.better], correct[pair.worse]
        tables.append([[int((x & y).sum()) for y in (worse, ~worse)] for x in (better, ~better)])
    p_values = [mcnemar(table, exact=True).pvalue for table in tables]
    np.testing.assert_allclose([pair.p_value for pair in pairs], p_values)
    np.testing.assert_allclose([pair.corrected for pair in pairs], multipletests(p_values, method="holm")[1])


@pytest.mark.parametrize(
    ("p_value", "text"), [(0.00009, "< 0.0001"), (0.0001, "= 0.0001"), (0.25, "= 0.2500"), (1, "= 1.0000")]
)
def test_p_values_are_written_with_their_sign(p_value: float, text: str) -> None:
    assert significance.p_text(p_value) == text
