"""The mistakes of a class in pages, from the files of `evaluate`."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from starlette.exceptions import HTTPException

from cifar10 import paths
from cifar10.app import page
from cifar10.app.recorded_mistakes import PER_PAGE, RecordedMistakes
from cifar10.errors import UserError
from cifar10.predict import model_folder
from tests import plausible

SEEDS = [0, 4]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    return plausible.write(folder, images=600, skills={"model_0": 1.5, "model_1": 1.0}, seeds=SEEDS)


@pytest.fixture
def mistakes(written: Path, monkeypatch: pytest.MonkeyPatch) -> RecordedMistakes:
    monkeypatch.chdir(written)
    return RecordedMistakes()


def mean(name: str, seeds: list[int]) -> tuple[pd.Series, pd.DataFrame]:
    """Actual classes, and mean probabilities by class, read with nothing of the package."""
    tables = [pd.read_csv(f"reports/predictions/{name}/seed_{seed}.csv") for seed in seeds]
    shares = sum(table.filter(like="probability_") for table in tables) / len(tables)
    return tables[0]["actual"], shares.rename(columns=lambda column: column.removeprefix("probability_"))


@pytest.mark.parametrize(("seed", "seeds"), [(None, SEEDS), ("4", [4])])
def test_the_pages_have_all_mistakes_of_a_class_in_order(
    mistakes: RecordedMistakes, seed: str | None, seeds: list[int]
) -> None:
    recorded = RecordedMistakes(seed)
    for name in ("model_0", "model_1"):
        actual, shares = mean(name, seeds)
        guess, sure = shares.idxmax(axis=1), shares.max(axis=1)
        wrong = sure[(guess != actual) & (actual == "cat")].sort_values(ascending=False, kind="stable")
        first = recorded.page(name, "cat", 1)
        assert first["pages"] == -(-len(wrong) // PER_PAGE) > 1
        listed = [
            entry for n in range(first["pages"]) for entry in recorded.page(name, "cat", n + 1)["mistakes"]
        ]
        assert [entry["image"] for entry in listed] == wrong.index.tolist()
        assert [entry["predicted"] for entry in listed] == guess[wrong.index].tolist()
        np.testing.assert_allclose([entry["probability"] for entry in listed], wrong, rtol=1e-12)
        assert len(first["mistakes"]) == PER_PAGE
        assert first["images"] == (actual == "cat").sum()
        assert first["counts"] == {each: ((guess != actual) & (actual == each)).sum() for each in shares}


def test_what_does_not_exist_is_one_sentence(mistakes: RecordedMistakes) -> None:
    known = "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck"
    last = mistakes.page("model_0", "cat", 1)["pages"]
    for asked, expected in {
        ("model_9", "cat", 1): (422, "no model 'model_9', expected one of model_0, model_1"),
        ("model_0", "c\x1bat", 1): (422, f"no class 'c\\x1bat', expected one of {known}"),
        ("model_0", "cat", 99): (404, f"page 99 does not exist, the last page is {last}"),
    }.items():
        with pytest.raises(HTTPException) as error:
            mistakes.page(*asked)
        assert (error.value.status_code, error.value.detail) == expected
    for index in (-1, 600):
        with pytest.raises(HTTPException, match=f"image {index} does not exist, test has 600 images"):
            mistakes.picture("test", index)
    np.testing.assert_array_equal(mistakes.picture("test", 599), np.load(paths.images("test"))[599])


def test_files_are_read_again_only_after_they_change(mistakes: RecordedMistakes) -> None:
    table, before = paths.predictions("model_0", 0), mistakes.of("model_0")
    assert mistakes.of("model_0") is before
    content, stamp = table.read_text(), table.stat().st_mtime_ns
    head, first, rest = content.split("\n", 2)
    shares = ",".join(["1.0", *["0.0"] * 9])
    try:
        actual = first.split(",")[head.split(",").index("actual")]
        columns = [name for name in head.split(",") if not name.startswith("probability_")]
        assert columns == ["actual", "predicted"]
        table.write_text("\n".join([head, f"{actual},airplane,{shares}", rest]))
        os.utime(table, ns=(stamp, stamp + 1))
        after = mistakes.of("model_0")
        old = before.probabilities[0] * 2 - [float(value) for value in first.split(",")[2:]]
        np.testing.assert_allclose(after.probabilities[0], (old + np.eye(10)[0]) / 2, atol=1e-12)
        table.unlink()
        with pytest.raises(UserError, match=r"seed_0\.csv not found: run `dvc repro` to make it"):
            mistakes.of("model_0")
        assert mistakes.names() == (["model_0", "model_1"], plausible.CIFAR10)  # model_1 has its files
    finally:
        table.write_text(content)


def test_a_published_folder_and_other_data_have_no_mistakes(
    mistakes: RecordedMistakes, tmp_path: Path
) -> None:
    published = RecordedMistakes(folder=model_folder.published(tmp_path))
    with pytest.raises(UserError, match="run `dvc repro`, then `make app` without --models") as error:
        published.names()
    with pytest.raises(UserError, match="a folder of trained models has no predictions"):
        published.picture("train", 0)
    html = page.mistakes([], [], problem=str(error.value))
    assert "No mistakes to show: a folder of trained models has no predictions" in html
    assert "mistakes.js" not in html
    labels = np.load(paths.labels("test"))
    try:
        np.save(paths.labels("test"), (labels + 1) % 10)
        with pytest.raises(UserError, match="expected rows for the 600 images in data/processed/test"):
            mistakes.names()
    finally:
        np.save(paths.labels("test"), labels)


def test_names_of_classes_are_escaped() -> None:
    html = page.mistakes(["m"], ['<b>"x"</b>'], problem=None)
    assert '<option value="&lt;b&gt;&#34;x&#34;&lt;/b&gt;">&lt;b&gt;&#34;x&#34;&lt;/b&gt;</option>' in html
