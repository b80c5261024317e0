"""The simulated comparison of replicated models: its models, its report and the committed result."""

import json

import numpy as np
import pytest

from benchmarks import replicates, replicates_report

COMMITTED = json.loads(replicates_report.STEM.with_suffix(".json").read_text(encoding="utf-8"))


def test_the_models_have_their_accuracy_and_spread():
    setting = replicates.Setting((0.67, 0.9), (0.03, 0.0), 400)
    first, second = replicates.draw(setting, np.random.default_rng(0), seeds=10, repeats=60)
    assert first.shape == (60, 10, 400)
    assert first.mean() == pytest.approx(0.67, abs=0.01)
    assert second.mean() == pytest.approx(0.9, abs=0.01)
    within = first.mean(axis=-1).var(axis=-1, ddof=1).mean()
    assert within == pytest.approx(0.03**2 + 0.35 * 0.67 * 0.33 / 400, rel=0.4)  # and noise of the images
    same = [hits.astype(float).reshape(-1, 400) for hits in (first[:, 0], first[:, 1])]
    assert np.corrcoef(same[0].ravel(), same[1].ravel())[0, 1] > 0.3  # trainings share images


def test_a_short_simulation_is_the_same_every_time(monkeypatch):
    monkeypatch.setattr(replicates, "EQUAL", replicates.EQUAL[-1:])
    monkeypatch.setattr(replicates, "APART", [replicates.Setting((0.67, 0.66), (0.01, 0.01), 100)])
    found = replicates.simulate(40, 20)
    assert found == replicates.simulate(40, 20)
    assert [row["seeds"] for row in found["level"]] == list(replicates.SEEDS)
    assert "40 experiments per cell" in replicates_report.markdown(found)


def test_mcnemar_is_that_of_the_report():
    random = np.random.default_rng(1)
    correct = [random.random((50, 300)) < accuracy for accuracy in (0.6, 0.7, 0.72)]
    expected = []
    for index in range(50):
        pairs = replicates.significance.pairs({str(m): hits[index] for m, hits in enumerate(correct)})
        expected.append(any(pair.significant for pair in pairs))
    assert replicates.mcnemar(correct).tolist() == expected


def test_the_committed_simulation_holds_the_level_and_the_coverage():
    assert COMMITTED["level_repeats"] == replicates.LEVEL_REPEATS
    for row in COMMITTED["level"]:
        assert row["false_positives"] <= 0.05
        assert row["accuracy_coverage"] >= 0.94
    for row in COMMITTED["power"]:
        assert row["coverage"] >= 0.94
        assert row["predicted"] == pytest.approx(row["power"], abs=0.06)


def test_the_committed_text_is_that_of_the_numbers():
    text = replicates_report.STEM.with_suffix(".md").read_text(encoding="utf-8")
    assert text == replicates_report.markdown(COMMITTED)
