"""The interval of an accuracy against statsmodels."""

import pytest
from statsmodels.stats.proportion import proportion_confint

from cifar10.evaluation import accuracy_interval


def test_interval_agrees_with_statsmodels() -> None:
    for correct, images in [(0, 10), (7, 10), (6802, 10000), (10, 10)]:
        expected = proportion_confint(correct, images, alpha=0.05, method="wilson")
        assert accuracy_interval.wilson(correct, images) == pytest.approx(expected, abs=1e-9)
