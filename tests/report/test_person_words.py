"""The answer for the portrait in the model card and in the results: verdict, layer, nearest images."""

from collections import Counter
from pathlib import Path

import numpy as np

from cifar10 import files, params, paths
from cifar10.report import model_cards, person_words, render, results
from tests import plausible


def test_layer_and_nearest_images_are_those_of_the_first_training(tmp_path: Path) -> None:
    with plausible.inside(plausible.write(tmp_path, images=100, skills={"model_0": 2.0}, seeds=[3, 4])):
        found, chosen = results.load(["model_0"], [3, 4]), params.load()
        (row,) = [line for line in render.markdown(found, chosen).splitlines() if "Dense 256 (" in line]
        card = " ".join(model_cards.card(found, chosen, found.models[0]).split())
        with np.load(paths.explanations("model_0", 3)) as file:
            labels = np.load(paths.labels("train"))[file["nearest"][0]]
    person = person_words.describe(found.models[0])
    assert person is not None
    assert person.layer == "Dense 256 (1.3 %)"  # the lower p-value of tests/plausible.py
    counts = Counter(plausible.CIFAR10[label] for label in labels)
    assert sum(counts.values()) == 6
    listed = [part.rsplit(" ", 1) for part in person.nearest.split(", ")]
    assert {name: int(count) for name, count in listed} == counts
    assert [int(count) for _, count in listed] == sorted(counts.values(), reverse=True)
    assert row.endswith(f" | Dense 256 (1.3 %) | {person.nearest} |")
    assert f"*{person.verdict}*. It is as unusual as the most unusual {person.unusual} of " in card
    assert "it is the most unusual in Dense 256 (1.3 %). The 6 most similar of 500 random" in card
    assert f"training images are: {person.nearest}. Layer and training images are those of seed 3." in card


def test_a_network_without_hidden_layers_and_no_portrait(tmp_path: Path) -> None:
    with plausible.inside(plausible.write(tmp_path, images=100, skills={"model_0": 2.0})):
        path = paths.ood_metrics("model_0", 0)
        content = files.read_json(path)
        files.write_json(path, content | {"person": content["person"] | {"layers": []}, "layers": []})
        found = results.load(["model_0"], [0])
        card = model_cards.card(found, params.load(), found.models[0])
        assert "A portrait" in card
        assert "hidden layers" not in card
        assert " | \u2013 | " in render.markdown(found, params.load())
        files.write_json(path, content | {"person": None})
        found = results.load(["model_0"], [0])
        assert person_words.describe(found.models[0]) is None
        assert "A portrait" not in model_cards.card(found, params.load(), found.models[0])
