"""The report says how many test pictures are in the training set, and the accuracy without them."""

import numpy as np
import pytest

from cifar10 import files, params, paths
from cifar10.report import audit_words, model_cards, render, results
from tests import plausible


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Results of two models on 200 test pictures, two trainings each."""
    skills = {"model_0": 3.0, "model_2": 1.0}
    monkeypatch.chdir(plausible.write(tmp_path, images=200, skills=skills, seeds=[0, 1]))
    return skills


def load(names, repeated):
    content = files.read_json(paths.AUDIT)
    files.write_json(paths.AUDIT, {**content, "test_in_training": repeated})
    return results.load([*names], [0, 1])


def test_the_accuracy_without_repeated_pictures_is_that_of_the_others(found):
    repeated = [*range(0, 60, 3)]
    loaded = load(found, repeated)
    words = audit_words.audit(loaded)
    assert words["leak"].startswith("20 of 200 test pictures are in the training set")
    others = [index for index in range(200) if index not in repeated]
    for model in loaded.models:
        right = [run.predicted[index] == model.actual[index] for run in model.trainings for index in others]
        whole = np.concatenate([run.predicted == model.actual for run in model.trainings])
        expected = f"accuracy {100 * whole.mean():.2f} %, without them {100 * sum(right) / 360:.2f} %."
        assert words["of"][model.name] == expected
        chosen = params.load()
        for text in (render.markdown(loaded, chosen), model_cards.card(loaded, chosen, model)):
            assert words["leak"] in text
            assert words["labels"] in text
            assert expected in text


@pytest.mark.parametrize("repeated", [[], [*range(200)]])
def test_without_other_pictures_there_is_no_other_accuracy(found, repeated):
    words = audit_words.audit(load(found, repeated))
    assert words["leak"].startswith(f"{len(repeated)} of 200 test pictures are")
    assert words["without"] == []
