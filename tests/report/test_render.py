"""Pages are complete, escaped and self-contained, and name the data of every measurement."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from cifar10 import params, paths
from cifar10.evaluation import metrics, replicates
from cifar10.report import render as pages
from cifar10.report import results
from tests import plausible

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x05\x00\x00\x00\x03\x20"  # the start of one, 1280 by 800
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Collect the elements and text of a page, and check that all tags are closed in order."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


RENDERED: dict[str, tuple[str, str]] = {}  # the pages by the arguments: most tests look at the same ones


def render(folder: Path, change: dict[str, Any] | None = None, **arguments: Any) -> tuple[str, str]:
    """Return the Markdown and the HTML for invented results; `change` replaces the reference results."""
    key = repr((change, arguments))
    with plausible.inside(plausible.write(folder, images=200, **arguments)):
        return RENDERED[key] if key in RENDERED else RENDERED.setdefault(key, _pages(change))


def _pages(change: dict[str, Any] | None) -> tuple[str, str]:
    """Render the results in the working directory."""
    chosen = params.load()
    if change is not None:
        chosen = chosen.model_copy(update={"report": chosen.report.model_copy(update={"reference": change})})
    found = results.load([*chosen.models], chosen.train.seeds)
    names = [
        "copies",
        "costs",
        "label_candidates",
        "samples",
        "accuracy",
        "loss",
        "class_accuracy",
        "ood",
        "person",
        "saliency",
        "nearest",
        "reliability",
    ]
    names += ["mistakes_all"] if len(chosen.models) > 1 else []
    names += ["differences"] if len(chosen.train.seeds) > 1 else []
    names += [
        f"{kind}_{model}" for kind in ("confusion", "predictions", "mistakes") for model in chosen.models
    ]
    return pages.markdown(found, chosen), pages.html(found, chosen, {f"{name}.png": PNG for name in names})


def plain(text: str) -> str:
    """Return the text as a reader sees it: no line breaks, no emphasis markup, ordinary spaces."""
    return " ".join(text.replace("*", "").replace("\u00a0", " ").split())


def test_page_refers_to_nothing_outside_itself(tmp_path: Path) -> None:
    _, html = render(tmp_path)
    page = Page(html)
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "iframe", "object", "base"})
    assert not re.search(r"url\(|@import|https?:", html)
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_links_lead_somewhere_and_every_figure_is_described(tmp_path: Path) -> None:
    page = Page(render(tmp_path)[1])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"] for link in page.all("a")} == {f"#{name}" for name in ids}
    figures = page.all("img")
    assert len(figures) == 13 + 3 * 3 == len(page.all("figcaption"))
    assert all(len(figure["alt"] or "") > 30 for figure in figures)
    assert {(figure["width"], figure["height"]) for figure in figures} == {("640", "400")}


def test_figures_are_embedded_as_they_are(tmp_path: Path) -> None:
    assert (
        Page(render(tmp_path)[1]).all("img")[0]["src"]
        == "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAABQAAAAMg"
    )


def test_names_are_escaped(tmp_path: Path) -> None:
    source = {"source": "folder", "note": "<script>alert(1)</script>", "more": '"><img src=x>'}
    markdown, html = render(tmp_path, classes=plausible.ODD, source=source)
    page = Page(html)
    assert "<b>" not in html
    assert "<script" not in html
    assert len(page.all("img")) == 13 + 3 * 3
    assert all(name in page.text for name in plausible.ODD)
    assert "{{ 7 * 7 }}" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert not re.search(r"(?<!\\)<", markdown)


def test_results_table_holds_the_figures(tmp_path: Path) -> None:
    markdown, html = render(tmp_path)
    with plausible.inside(tmp_path):
        model = results.load(["model_1"], [0]).models[0]
    test, train = model.metrics["test"], model.metrics["train"]
    cells = [
        "model_1",
        f"{100 * test['accuracy']['mean']:.2f} % (1 seed)",
        f"{100 * test['accuracy']['low']:.2f} to {100 * test['accuracy']['high']:.2f} %",
        f"{test['loss']['mean']:.4f}",
        f"{test['macro_f1']['mean']:.4f}",
        f"{100 * train['accuracy']['mean']:.2f} %",
        "79.25 %",
        f"{train['loss']['mean']:.4f}",
        "0.5719",
        "3,404,042",
        "1.1 MB",
    ]
    assert f"| {' | '.join(cells)} |" in markdown
    row = re.search(r'<tr><th scope="row">model_1</th>.*?</tr>', html, re.DOTALL)
    assert row
    assert re.findall(r">([^<>]+)<", row[0].replace("\u00a0", " ")) == cells


def test_several_seeds_are_shown_as_mean_and_deviation(tmp_path: Path) -> None:
    markdown, html = render(tmp_path, seeds=[0, 4, 7])
    with plausible.inside(tmp_path):
        found = results.load(["model_0"], [0, 4, 7])
    values = 100 * found.correct["model_0"].mean(axis=1)
    shown = f"{values.mean():.2f} ± {values.std(ddof=1):.2f} %"
    for text in (plain(markdown), plain(Page(html).text)):
        assert f"{shown} (3 seeds)" in text
        assert "± is the sample standard deviation over 3 trainings of each model" in text
        assert "differ in the seed alone (0, 4 and 7)" in text
        assert "model_0 has the highest mean test accuracy: " in text
    assert "The ID score of a model is the mean over the detectors of its 3 trainings." in markdown
    assert "the band one standard deviation to each side" in html


def test_several_seeds_give_a_verdict_about_models(tmp_path: Path) -> None:
    markdown, html = render(tmp_path, seeds=[0, 4, 7])
    with plausible.inside(tmp_path):
        found = results.load(["model_0", "model_1", "model_2"], [0, 4, 7])
    told = [replicates.headline(found.correct), *map(replicates.sentences, found.differences)]
    assert len(told) == 1 + 3
    assert [pair.trainings_for_a_point for pair in found.differences] == [None] * 3
    for text in (plain(markdown), plain(Page(html).text)):
        assert all(plain(each) in text for each in told)
        assert "test set is too small: model_0 and model_1; model_0 and model_2; model_1 and model_2." in text
    assert "These tests compare two .h5 files each, of seed 0." in plain(Page(html).text)


def test_the_ensemble_is_shown_beside_its_trainings(tmp_path: Path) -> None:
    markdown, html = render(tmp_path, seeds=[0, 4, 7])
    with plausible.inside(tmp_path):
        (model,) = results.load(["model_1"], [0, 4, 7]).models
        actual = np.load(paths.labels("test"))
    mean = np.mean([training.probabilities for training in model.trainings], axis=0)
    right = (mean.argmax(axis=1) == actual).sum()
    low, high = proportion_confint(right, len(actual), method="wilson")
    single = np.mean([training.evaluation["test"]["calibration_error"] for training in model.trainings])
    cells = [
        "model_1",
        f"{100 * np.mean([(run.predicted == actual).mean() for run in model.trainings]):.2f} %",
        f"{100 * right / len(actual):.2f} %",
        f"{100 * low:.2f} to {100 * high:.2f} %",
        f"{100 * single:.2f} %",
        f"{100 * metrics.calibration_error(mean, actual):.2f} %",
    ]
    assert f"| {' | '.join(cells)} |" in markdown
    row = (
        html.partition("<h3>Ensembles</h3>")[2]
        .partition('<th scope="row">model_1</th>')[2]
        .partition("</tr>")[0]
    )
    assert re.findall(r">([^<>]+)<", row.replace("\u00a0", " ")) == cells[1:]


@pytest.mark.parametrize("seeds", [[4], [0, 4]])
def test_calibration_is_shown_before_and_after_scaling(tmp_path: Path, seeds: list[int]) -> None:
    markdown, html = render(tmp_path, seeds=seeds)
    with plausible.inside(tmp_path):
        (model,) = results.load(["model_1"], seeds).models
    test, after = model.metrics["test"], model.metrics["calibrated"]
    assert after["calibration_error"]["mean"] < test["calibration_error"]["mean"]
    shown = [
        (after["temperature"], False),
        (test["calibration_error"], True),
        (after["calibration_error"], True),
    ]
    cells = [_spread(value, share) for value, share in shown]
    if together := model.ensemble:
        numbers = (together["calibration_error"], together["calibrated"]["calibration_error"])
        cells += [f"{together['calibrated']['temperature']:.4f}", *(f"{100 * n:.2f} %" for n in numbers)]
    assert f"| model_1 | {' | '.join(cells)} |" in markdown
    row = html.partition('aria-label="Temperatures"')[2].partition('<th scope="row">model_1</th>')[2]
    assert re.findall(r">([^<>]+)<", row.partition("</tr>")[0].replace("\u00a0", " ")) == cells


def test_without_validation_images_nothing_is_scaled(tmp_path: Path) -> None:
    _, html = render(tmp_path / "with")
    assert "after scaling" in html
    assert "of the model with the best validation accuracy." in plain(html)
    without, page = render(tmp_path / "without", validation=False)
    assert "after scaling" not in without + page
    assert "of the model with the best test accuracy (there are no validation images)." in plain(page)


def _spread(found: dict[str, float | None], share: bool) -> str:
    """Format as the tables do, written again here."""
    numbers = [n * (100 if share else 1) for n in (found["mean"], found["sd"]) if n is not None]
    return " ± ".join(f"{n:.2f}" if share else f"{n:.4f}" for n in numbers) + (" %" if share else "")


def test_one_seed_says_that_the_spread_is_unknown(tmp_path: Path) -> None:
    for text in render(tmp_path, seeds=[4]):
        assert "One training of each model (seed 4): the spread over seeds is unknown." in plain(text)
        assert "±" not in text
        assert "Ensembles" not in text
        assert "No verdict about the models" in plain(text)
        assert "These two files only" in plain(text)


def test_markdown_tables_are_whole(tmp_path: Path) -> None:
    text = render(tmp_path)[0]
    assert "\n\n\n" not in text
    tables = [block.splitlines() for block in text.split("\n\n") if "|" in block]
    # models in results, costs, calibration, none of these; OOD datasets; kinds of corrupted images; models
    for table, rows in zip(tables, (3, 3, 3, 3, 3, 4, 3), strict=True):
        assert all(line.startswith("|") for line in table)
        assert len(table) == 2 + rows
        assert len({line.count("|") for line in table}) == 1
    assert sum(line.count("| **") for line in tables[0]) == 1  # the best


def test_both_pages_end_with_a_line_end_and_have_no_trailing_space(tmp_path: Path) -> None:
    for text in render(tmp_path):
        assert text.endswith("\n")
        assert not re.search(r"[ \t]\n", text)


def test_both_pages_tell_the_verdict_and_its_limit(tmp_path: Path) -> None:
    markdown, html = render(tmp_path)
    for text in (plain(markdown), plain(Page(html).text)):
        assert "model_0 has the highest mean test accuracy: " in text
        assert "There is no verdict about it, model_1 and model_2" in text
        assert "cover the sampling of the 200 test images, not the seed" in text
    assert "<h2>Two .h5 files each</h2>" in html
    assert html.index("has the highest mean test accuracy") < html.index("<table")


def test_architectures_are_shown_with_their_optimizers(tmp_path: Path) -> None:
    text = plain(Page(render(tmp_path)[1]).text)
    assert "model_1 and model_2" in text
    assert (
        "The same layers; model_1 trained with Adam (learning_rate 0.001), "
        "model_2 with SGD (learning_rate 0.01)." in text
    )
    assert re.search(r"Conv2D ?30 . 30 . 16 ?0.39 M ?448", text)
    assert "total91,946" in text.replace(" ", "")


@pytest.mark.parametrize(
    ("official", "expected"),
    [
        (True, f"Measured on CIFAR-10, the official archive (SHA-256 {plausible.SOURCE['sha256']}): "),
        (
            False,
            f"Measured on a copy of CIFAR-10 whose SHA-256 is {plausible.SOURCE['sha256']}, not the official",
        ),
    ],
)
def test_pages_say_which_archive_was_measured(official: bool, expected: str, tmp_path: Path) -> None:
    source = {**plausible.SOURCE, "official": official}
    for text in render(tmp_path, source=source, skills={"model_0": 2.0}):
        assert expected in plain(re.sub("<[^>]*>", " ", text))
        assert "1,000 training, 100 validation and 200 test images in 10 classes" in text


def test_pages_name_the_arithmetic_and_warn_of_two(tmp_path: Path) -> None:
    for text in render(tmp_path / "one"):
        assert "Trained and evaluated on Linux x86_64, AVX2." in plain(text)
        assert "Mixed arithmetic" not in text
    folder = plausible.write(tmp_path / "two", images=200)
    path = folder / "reports/evaluations/model_1/seed_0.json"
    path.write_text(
        path.read_text().replace('"trained_on": "Linux x86_64, AVX2"', '"trained_on": "Darwin arm64"')
    )
    with plausible.inside(folder):
        found = results.load(["model_0", "model_1"], [0])
    text = pages.arithmetic_used(found)
    assert text.startswith("Mixed arithmetic explains")
    assert "model_1 was trained on Darwin arm64" in text
    assert "model_0 was trained on Linux x86_64, AVX2" in text
    assert "model_1 was evaluated on Linux x86_64, AVX2" in text


@pytest.mark.parametrize("source", ["digits", "folder"])
def test_reference_results_are_for_cifar10_only(source: str, tmp_path: Path) -> None:
    markdown, html = render(tmp_path, source={"source": source}, skills={"model_0": 2.0})
    for text in (markdown.lower(), Page(html).text.lower()):
        assert "reference" not in text
        assert "79.55" not in text
        assert "not cifar-10: 1,000 training" in text


def test_models_without_reference_results_get_a_dash(tmp_path: Path) -> None:
    markdown, html = render(tmp_path, skills={"model_0": 2.0, "mine": 1.0})
    assert re.search(r"\| mine \|.* \N{EN DASH} \|.* \N{EN DASH} \|", markdown)
    assert html.count('<td class="reference">\N{EN DASH}</td>') == 2
    assert "model_1" not in markdown + html


def test_without_reference_results_there_is_no_column(tmp_path: Path) -> None:
    other = {"elsewhere": params.Reference(accuracy=0.5, loss=1.0, parameters=3)}
    for text in render(tmp_path, change=other):
        assert "eference" not in text.split("</style>")[-1]


def test_different_parameter_counts_are_named(tmp_path: Path) -> None:
    other = {"model_1": params.Reference(accuracy=0.5, loss=1.0, parameters=3_404_043)}
    for text in render(tmp_path, change=other):
        assert "The reference parameter count differs for model_1 (3,404,043)." in text


def test_a_single_model_is_not_compared(tmp_path: Path) -> None:
    markdown, html = render(tmp_path, skills={"model_0": 2.0}, epochs=1, validation=False)
    for text in (plain(markdown), plain(Page(html).text)):
        assert "model_0 is the only model" in text
        assert "McNemar" not in text
        assert "Differences of models" not in text
        assert "means over epoch 1, the last one" in text
        assert "ashed" not in text
    assert "Two .h5 files each" not in html


def test_a_model_without_errors_has_no_confusion(tmp_path: Path) -> None:
    assert "model_0 makes no error on the test images" in render(tmp_path, skills={"model_0": 40.0})[1]


def test_the_most_frequent_error_is_named(tmp_path: Path) -> None:
    html = render(tmp_path, skills={"model_0": 2.0})[1]
    with plausible.inside(tmp_path):
        found = results.load(["model_0"], [0])
    shares = {}
    for actual in range(10):
        guesses = found.models[0].first.predicted[found.actual == actual]
        for guess in set(range(10)) - {actual}:
            shares[(guesses == guess).mean()] = (found.classes[actual], found.classes[guess])
    share = max(shares)
    match = re.search(
        r"confusion of model_0: (\d+) % of “(\w+)” are predicted as “(\w+)”", plain(Page(html).text)
    )
    assert match
    assert int(match[1]) == round(100 * share)


def test_a_class_of_any_name_stays_in_its_cell_of_the_markdown(tmp_path: Path) -> None:
    markdown, _ = render(tmp_path, classes=[*plausible.ODD, "a|b `c` *d*"])
    lines = markdown.partition("## A person\n")[2].partition("\n## ")[0].splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}
    assert not re.search(r"(?<!\\)<", "".join(rows))
    assert set(re.findall(r"(.)[`*]", "".join(rows))) <= {"\\"}


def test_a_detector_with_a_low_auroc_gets_a_warning(tmp_path: Path) -> None:
    for skill, warned in ((1.0, True), (9.0, False)):
        folder = tmp_path / str(skill)
        for text in render(folder, skills={"only": skill}):
            with plausible.inside(folder):
                mean = np.mean([*results.load(["only"], [0]).models[0].first.detector["auroc"].values()])
            assert f"The mean AUROC is {mean:.2f}." in plain(text)
            assert ("Detection is unreliable" in text) == warned == (mean < 0.8)
