"""Reading of results from disk, counts derived from them, and errors for missing files."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from cifar10 import files, paths
from cifar10.errors import UserError
from cifar10.evaluation import auroc, metrics, replicates
from cifar10.report import results
from tests import plausible

SEEDS = [0, 4]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(
        plausible.write(tmp_path, images=300, skills={"model_0": 3.0, "model_1": 1.0}, seeds=SEEDS)
    )
    return tmp_path


@pytest.mark.parametrize("seed", range(3))
def test_confusion_is_that_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    actual, predicted = random.integers(0, 4, (2, 200))  # classes 4 and 5 do not occur
    np.testing.assert_array_equal(
        results.confusion(actual, predicted, 6), confusion_matrix(actual, predicted, labels=range(6))
    )


def test_confusion_table_has_every_pair_of_classes(folder: Path) -> None:
    found = results.load(["model_0", "model_1"], SEEDS)
    table = results.confusion_table(found)
    assert [*table] == ["model", "actual", "predicted", "images"]
    assert len(table) == 2 * 10 * 10
    assert table.groupby("model")["images"].sum().to_dict() == {"model_0": 600, "model_1": 600}
    read = pd.concat([pd.read_csv(paths.predictions("model_1", seed)) for seed in SEEDS])
    cats = ((read["actual"] == "cat") & (read["predicted"] == "dog")).sum()
    row = table[(table["model"] == "model_1") & (table["actual"] == "cat") & (table["predicted"] == "dog")]
    assert row["images"].item() == cats > 0


def test_class_accuracy_is_that_of_the_metrics(folder: Path) -> None:
    found = results.load(["model_0", "model_1"], SEEDS)
    table = results.class_accuracy(found)
    for model in found.models:
        rows = table[table["model"] == model.name]
        each = [[*run.evaluation["test"]["class_accuracy"].values()] for run in model.trainings]
        np.testing.assert_allclose(rows["accuracy"], np.mean(each, axis=0))
        np.testing.assert_allclose([*rows["accuracies"]], np.transpose(each))
        assert (rows["low"] <= rows["accuracy"]).all()
        assert (rows["accuracy"] <= rows["high"]).all()


def test_class_accuracy_leaves_out_classes_without_test_images(folder: Path) -> None:
    files.write_json(paths.CLASSES, [*plausible.CIFAR10, "unseen"])
    for name in ("model_0", "model_1"):
        for seed in SEEDS:
            for path in (paths.predictions(name, seed), paths.validation_predictions(name, seed)):
                pd.read_csv(path).assign(probability_unseen=0.0).to_csv(path, index=False)
    table = results.class_accuracy(results.load(["model_0", "model_1"], SEEDS))
    assert sorted(table["label"].unique()) == [*range(10)]


def test_correct_gives_the_accuracy_of_the_metrics(folder: Path) -> None:
    found = results.load(["model_1", "model_0"], SEEDS)
    assert [*found.correct] == ["model_1", "model_0"]
    for model in found.models:
        accuracies = found.correct[model.name].mean(axis=1)
        assert accuracies == pytest.approx(model.metrics["test"]["accuracies"])
        assert found.first_correct[model.name].mean() == pytest.approx(accuracies[0])
        assert model.metrics["test"]["accuracy"]["mean"] == pytest.approx(np.mean(accuracies))
        assert model.metrics["test"]["accuracy"]["sd"] == pytest.approx(np.std(accuracies, ddof=1))


def test_a_single_training_has_no_deviation(folder: Path) -> None:
    found = results.load(["model_0"], [4]).models[0].metrics
    assert found["seeds"] == 1
    (accuracy,) = found["test"]["accuracies"]
    error = np.sqrt(accuracy * (1 - accuracy) / 299)  # of the mean of 300 answers, 0 or 1
    low, high = t.interval(0.95, 299, loc=accuracy, scale=error)
    expected = {"mean": accuracy, "low": pytest.approx(low), "high": pytest.approx(high), "sd": None}
    assert found["test"]["accuracy"] == expected
    assert "ensemble" not in found


def test_the_interval_covers_seeds_and_images(folder: Path) -> None:
    model = results.load(["model_0"], SEEDS).models[0]
    found = replicates.accuracies({"model_0": model.correct})["model_0"]
    accuracy = model.metrics["test"]["accuracy"]
    assert (accuracy["low"], accuracy["high"]) == (found.low, found.high)
    assert accuracy["low"] < accuracy["mean"] < accuracy["high"]


def test_the_ensemble_averages_the_probabilities_of_the_files(folder: Path) -> None:
    model = results.load(["model_0"], SEEDS).models[0]
    tables = [pd.read_csv(paths.predictions("model_0", seed)) for seed in SEEDS]
    mean = sum(table.filter(like="probability_").to_numpy() for table in tables) / len(SEEDS)
    actual = [plausible.CIFAR10.index(name) for name in tables[0]["actual"]]
    ensemble = model.metrics["ensemble"]
    assert ensemble["accuracy"] == accuracy_score(actual, mean.argmax(axis=1))
    assert ensemble["loss"] == pytest.approx(log_loss(actual, mean, labels=range(10)))
    assert ensemble["calibration_error"] == pytest.approx(metrics.calibration_error(mean, np.array(actual)))
    calibrated = ensemble["calibrated"]
    powers = mean ** (1 / calibrated["temperature"])
    after = powers / powers.sum(axis=1, keepdims=True)
    assert calibrated["loss"] == pytest.approx(log_loss(actual, after, labels=range(10)))
    assert calibrated["calibration_error"] == pytest.approx(
        metrics.calibration_error(after, np.array(actual))
    )
    assert calibrated["loss"] < ensemble["loss"]


def test_the_persons_answer_is_that_of_the_ensemble(folder: Path) -> None:
    model = results.load(["model_0"], SEEDS).models[0]
    persons = [run.ood["person"] for run in model.trainings]
    mean = np.mean([[*person["probabilities"].values()] for person in persons], axis=0)
    calibrated = model.metrics["ensemble"]["calibrated"]
    expected = mean ** (1 / calibrated["temperature"])
    np.testing.assert_allclose(model.person.probabilities[0], expected / expected.sum())
    assert model.person.id_scores == [np.mean([person["id_score"] for person in persons])]


def test_the_detector_is_measured_on_the_mean_scores_of_the_trainings(folder: Path) -> None:
    model = results.load(["model_0"], SEEDS).models[0]
    tables = [pd.read_csv(paths.ood_scores("model_0", seed)) for seed in SEEDS]
    mean = sum(table["id_score"] for table in tables) / len(SEEDS)
    test, faces = (mean[tables[0]["dataset"] == name] for name in ("test", "faces"))
    known = np.sort(mean[tables[0]["dataset"] == "validation"])
    threshold = known[int(0.05 * (len(known) - 1))]
    assert model.detector["threshold"] == pytest.approx(threshold)
    assert model.detector["tpr"] == pytest.approx((test >= threshold).mean())
    assert model.detector["fpr"]["faces"] == pytest.approx((faces >= threshold).mean())
    wins = [np.mean(test > face) for face in faces]
    assert model.detector["auroc"]["faces"] == pytest.approx(np.mean(wins))
    assert model.detector["images"] == dict.fromkeys(plausible.OOD_DATASETS, 50)
    assert model.detector["pictures"] == {"faces": 50, "photographs": 2, "textures": 1}
    sizes = {"faces": None, "photographs": [20, 30], "textures": [50]}
    assert model.detector["interval"] == {
        name: auroc.interval(test, mean[tables[0]["dataset"] == name], counts)
        for name, counts in sizes.items()
    }
    for kind in plausible.CORRUPTED:
        share = (mean[tables[0]["dataset"] == f"test_{kind}"] >= threshold).mean()
        assert model.detector["corrupted"][kind] == pytest.approx(share)
    (score,) = model.person.id_scores
    assert model.person.p_values == [(1 + (known <= score).sum()) / (1 + len(known))]


def test_curves_keep_every_digit(folder: Path) -> None:
    found = results.load(["model_0", "model_1"], SEEDS)
    lines = results.curves(found.models).to_csv(index=False, lineterminator="\n").splitlines()
    assert lines[0] == "model,seed,epoch,loss,accuracy,val_loss,val_accuracy"
    for name, seed in product(("model_0", "model_1"), SEEDS):
        rows = paths.history(name, seed).read_text().splitlines()[1:]
        start = f"{name},{seed},"
        assert [line for line in lines if line.startswith(start)] == [f"{start}{row}" for row in rows]


@pytest.mark.parametrize("names", [["1", "2", "10"], ["NA", "null", ""], plausible.ODD])
def test_class_names_are_text_whatever_they_look_like(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plausible.write(tmp_path, classes=names, images=60, skills={"m": 2.0}))
    found = results.load(["m"], [0])
    assert found.dataset["classes"] == names
    assert found.correct["m"].mean() == pytest.approx(found.models[0].metrics["test"]["accuracy"]["mean"])


@pytest.mark.parametrize(
    "path",
    [
        paths.SOURCE,
        paths.CLASSES,
        paths.labels("train"),
        paths.labels("validation"),
        paths.labels("test"),
        paths.predictions("model_1", 4),
        paths.history("model_1", 4),
        paths.evaluation("model_1", 4),
        paths.architecture("model_1", 0),
        paths.ood_metrics("model_1", 4),
        paths.ood_scores("model_1", 4),
        paths.OOD_PICTURES,
    ],
    ids=str,
)
@pytest.mark.parametrize("content", [None, b"", b"<<<<<<< HEAD\n"])
def test_missing_and_damaged_files_are_named(folder: Path, path: Path, content: bytes | None) -> None:
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        results.load(["model_1"], SEEDS)
    message = str(raised.value)
    assert message.startswith((f"{path} ", f"{path}: "))
    assert "dvc repro" in message
    assert "\n" not in message


def test_pictures_that_are_missing_are_named(folder: Path) -> None:
    paths.images("test").unlink()
    with pytest.raises(UserError, match=r"^data/processed/test/images\.npy not found: run `dvc repro`"):
        results.pictures("test")


def test_scores_of_other_crops_are_refused(folder: Path) -> None:
    files.write_json(paths.OOD_PICTURES, {"photographs": {"moon.png": 20}})
    with pytest.raises(UserError, match=r"expected 20 rows for photographs, .*got 50: run `dvc"):
        results.load(["model_0"], SEEDS)


def test_predictions_for_other_images_are_refused(folder: Path) -> None:
    table = pd.read_csv(paths.predictions("model_1", 4))
    for other in (table.iloc[:-1], table.iloc[::-1], table.drop(columns="probability_cat")):
        other.to_csv(paths.predictions("model_1", 4), index=False)
        with pytest.raises(UserError, match=r"^reports/predictions/model_1/seed_4\.csv.*dvc repro"):
            results.load(["model_0", "model_1"], SEEDS)
