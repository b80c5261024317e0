"""The report of own classes and of few images: true sentences, no NaN, no column per class."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cifar10 import files, params, paths
from cifar10.data.class_names import CIFAR10
from cifar10.report import figure_list, model_cards, ood_words, render, results
from tests import plausible

FOLDER = {"source": "folder"}
OWN = ["person", "digits", "cat"]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x05\x00\x00\x00\x03\x20"


FIGURES: dict[str, dict[str, bytes]] = {}  # by what decides which figures there are; drawing takes 0.3 s


def pages(folder: Path, left_out: tuple[str, ...] = (), **arguments: Any) -> dict[str, str]:
    """Return results, report and card of invented results, as one line each; leave OOD datasets out."""
    key = repr((left_out, arguments.get("images"), arguments.get("seeds")))
    arguments = {"images": 40, "skills": {"model_0": 2.0}, **arguments}
    with plausible.inside(plausible.write(folder, **arguments)):
        chosen = params.load()
        path = paths.ood_metrics("model_0", 0)
        found = files.read_json(path)
        for measured in found["scores"].values():
            for rates in (measured["auroc"], measured["fpr"]):
                for name in {*left_out} & {*rates}:
                    del rates[name]
        areas = [*found["scores"]["combined"]["auroc"].values()]
        found["auroc"] = float(np.mean(areas)) if areas else None
        if "person" in left_out:
            found["person"] = None
        files.write_json(path, found)
        data = chosen.data.model_copy(update={"ood_exclude": [*left_out]})
        chosen = chosen.model_copy(update={"data": data})
        loaded = results.load(["model_0"], chosen.train.seeds)
        if key not in FIGURES:
            FIGURES[key] = dict.fromkeys(figure_list.draw(loaded, chosen), PNG)
        texts = {
            "results": render.markdown(loaded, chosen),
            "report": render.html(loaded, chosen, FIGURES[key]),
            "card": model_cards.card(loaded, chosen, loaded.models[0]),
        }
        texts["metrics"] = json.dumps(loaded.models[0].metrics, allow_nan=False)
    return {name: " ".join(re.sub("<[^>]*>", " ", text).split()) for name, text in texts.items()}


def test_for_own_classes_no_sentence_assumes_those_of_cifar10(tmp_path: Path) -> None:
    texts = pages(tmp_path, classes=OWN, source=FOLDER)
    for name in ("results", "report", "card"):
        for false in ("No class fits", "no class is a person", "none of CIFAR-10", "official"):
            assert false not in texts[name]
        assert "One that shows a class of yours is not OOD" in texts[name]
    assert "If a class shows people, the portrait is no OOD image" in texts["results"]
    assert "unless a class shows people" in texts["card"]


def test_for_cifar10_the_sentences_are_definite(tmp_path: Path) -> None:
    texts = pages(tmp_path)
    assert "No class fits." in texts["results"]
    assert "no class is a person, and some such images still get a class" in texts["card"]
    assert "of yours" not in "".join(texts.values())


def test_an_archive_with_other_classes_is_not_called_cifar10(tmp_path: Path) -> None:
    texts = pages(tmp_path, classes=[*CIFAR10[:9], "person"], source={**plausible.SOURCE, "official": False})
    for name in ("results", "report"):
        assert "an archive in the layout of CIFAR-10 with other classes (SHA-256 6d958be0" in texts[name]
        assert "a copy of CIFAR-10" not in texts[name]
        assert "79.55" not in texts[name]


@pytest.mark.parametrize("left_out", [("person",), ("faces", "person"), ("faces", "photographs", "textures")])
def test_what_is_left_out_is_named_and_shown_nowhere(tmp_path: Path, left_out: tuple[str, ...]) -> None:
    texts = pages(tmp_path, left_out, classes=OWN, source=FOLDER)
    for name in ("results", "report", "card"):
        assert "Left out, as data.ood_exclude in params.yaml says: " in texts[name]
    assert ("astronaut" in texts["results"] + texts["report"]) == ("person" not in left_out)
    crops = "count as one image (Obuchowski, 1997): photographs and textures."
    assert (crops in texts["card"]) == ("photographs" not in left_out)
    if len(left_out) == 3:
        for name in ("results", "report", "card"):
            assert "No OOD dataset was measured." in texts[name]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["noise"], ""),
        (["faces"], "All OOD datasets come with scikit-image."),
        (["digits", "cifar100"], "All OOD datasets come with scikit-learn and foolbox."),
        (
            ["photographs", "textures", "noise", "clothes"],
            "All OOD datasets except the noise come with scikit-learn, scikit-image and foolbox. Photographs "
            "and textures are random crops of nine and three pictures, so their rates say little about other "
            "pictures.",
        ),
    ],
)
def test_the_origin_is_that_of_the_datasets_at_hand(names: list[str], expected: str) -> None:
    assert ood_words.origin(names) == expected


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (
            {"jpeg": 0.914, "blur": 0.023, "contrast": 0.472, "noise": 0.052},
            "Most blurred (97.7 %), noisy (94.8 %) and low-contrast (52.8 %) test images get *none of these*",
        ),
        (
            {"jpeg": 0.949, "blur": 0.923, "contrast": 0.5, "noise": 0.938},
            "Of low-contrast test images, 50.0 % get *none of these*",
        ),
    ],
)
def test_the_rejected_corruptions_are_those_below_half(rates: dict[str, float], expected: str) -> None:
    model: Any = SimpleNamespace(name="m", detector={"corrupted": rates})
    assert ood_words.rejected(model).startswith(f"{expected}, although they show a class")
    named = [f"{expected} from m."] if expected.startswith("Most") else []
    assert ood_words.rejected_models([model]) == named


def test_the_limits_have_the_rejected_corruptions(tmp_path: Path) -> None:
    texts = pages(tmp_path)
    with plausible.inside(tmp_path):
        rates = files.read_json(paths.ood_metrics("model_0", 0))["corrupted"]
    assert min(rates, key=rates.__getitem__) == "noise"
    share = f"{100 - 100 * rates['noise']:.1f} %"
    assert f"- Most noisy ({share})" in texts["card"].partition("## Limits")[2]
    for name in ("results", "report"):
        assert f"Most noisy ({share})" in texts[name]
        assert "none of these from model_0." in texts[name].replace("*", "")


@pytest.mark.parametrize(
    ("images", "seeds"), [(2, (0,)), (2, (0, 1, 2)), (3, (0, 1, 2)), (5, (0,)), (5, (0, 1, 2))]
)
def test_few_images_give_no_nan(tmp_path: Path, images: int, seeds: tuple[int, ...]) -> None:
    texts = pages(tmp_path, classes=["x", "y", "z"], images=images, seeds=seeds, epochs=1, validation=False)
    for text in texts.values():
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b", text)
    unknown = "One test image does not show a spread" in texts["card"]
    assert unknown == (len(seeds) > 1 and bool(re.search(r"\| [xyz] \| 1 \|", texts["card"])))


def test_kinds_without_images_are_named(tmp_path: Path) -> None:
    with plausible.inside(plausible.write(tmp_path, images=20, skills={"model_0": 2.0})):
        path = paths.ood_metrics("model_0", 0)
        found = files.read_json(path)
        for areas in found["pseudo_ood"].values():
            areas["blends"] = None
        files.write_json(path, found)
        text = ood_words.pseudo_ood(results.load(["model_0"], [0]))
    assert text.startswith("Too few images for blends: they are not measured")


def test_excluded_pictures_are_counted_and_listed(tmp_path: Path) -> None:
    folder = plausible.write(tmp_path, images=20, skills={"model_0": 2.0}, source=FOLDER)
    files.write_json(folder / paths.EXCLUDED, ["train/cat/1.png", "test/dog/2.png"])
    with plausible.inside(folder):
        loaded = results.load(["model_0"], [0])
        assert loaded.dataset["excluded"] == ["train/cat/1.png", "test/dog/2.png"]
        assert "2 pictures left out (data.exclude)." in render.markdown(loaded, params.load())


def test_metrics_have_no_entry_per_class(tmp_path: Path) -> None:
    """`dvc metrics diff` shows a column for each entry; figures per class are in reports/evaluations."""
    few, many = (
        pages(tmp_path / str(count), classes=[f"class {n}" for n in range(count)])["metrics"]
        for count in (3, 60)
    )
    assert few.count(":") == many.count(":")
    assert "class " not in many
