"""The stage as a user runs it: a separate process, in its own folder."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import plausible
from tests.conftest import ENVIRONMENT, WARM

pytestmark = pytest.mark.usefixtures("dvc")  # starts the server of warm programs

STAGE = plausible.ROOT / "stages" / "report.py"
WRITTEN = ["confusion.csv", "curves.csv", "dataset.json", "label_candidates.csv", "report.html", "results.md"]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["python", *options, str(STAGE)],
        cwd=folder,
        env={**ENVIRONMENT, **WARM},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def written(folder: Path) -> dict[str, bytes]:
    reports = folder / "reports"
    files = [path for folder in (".", "cards", "figures") for path in (reports / folder).iterdir()]
    files = [path for path in files if path.is_file()]
    return {path.name: path.read_bytes() for path in files}


def test_same_input_gives_the_same_bytes_without_tensorflow_and_models_that_are_no_more_go(
    tmp_path: Path,
) -> None:
    skills = {"model_0": 3.0, "model_2": 2.0}
    before = plausible.write(tmp_path / "before", images=50, skills={"before": 1.0}, seeds=[0, 3])
    stale = before / "reports/figures/confusion_before.png"
    stale.parent.mkdir()
    stale.write_bytes(b"old")
    shutil.copytree(before / "reports", tmp_path / "other/reports")
    first, second = (plausible.write(tmp_path / name, images=2000, skills=skills) for name in ("a", "other"))
    # matplotlib reads this file in the working directory
    (second / "matplotlibrc").write_text("font.size: 30\n")
    cold, warm = run(first, "-X", "importtime"), run(second)
    assert (cold.returncode, warm.returncode) == (0, 0), warm.stderr
    imported = {line.split("|")[-1].strip().split(".")[0] for line in cold.stderr.splitlines()}
    assert "matplotlib" in imported
    assert imported.isdisjoint({"tensorflow", "keras"})
    assert written(first) == written(second)
    assert [path for path in (second / "reports").rglob("*") if "before" in path.name] == []
    assert sorted(written(first)) == sorted(
        [
            "audit.json",
            *WRITTEN,
            *(f"{name}.png" for name in ("samples", "accuracy", "loss", "class_accuracy", "reliability")),
            "copies.png",
            "costs.png",
            "label_candidates.png",
            "ood.png",
            "person.png",
            "saliency.png",
            "nearest.png",
            "mistakes_all.png",
            *(f"{name}.md" for name in skills),
            *(f"{kind}_{name}.png" for kind in ("confusion", "predictions", "mistakes") for name in skills),
        ]
    )
    assert str(tmp_path).encode() not in b"".join(written(first).values())
    assert len(written(first)["report.html"]) < 2_500_000  # 2.2 MB: without an entry per test image


def test_odd_names_one_model_one_epoch_no_validation(tmp_path: Path) -> None:
    plausible.write(
        tmp_path,
        classes=plausible.ODD,
        skills={"only": 2.0},
        epochs=1,
        validation=False,
        images=30,
        source={"source": "folder", "files": 180},
    )
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "reports/dataset.json").read_text(encoding="utf-8")) == {
        "source": "folder",
        "files": 180,
        "classes": plausible.ODD,
        "images": {"train": 150, "validation": 0, "test": 30},
    }
    assert "only is the only model" in (tmp_path / "reports/results.md").read_text()


@pytest.mark.parametrize(
    "missing", ["data/processed/train/images.npy", "reports/evaluations/model_0/seed_0.json"]
)
def test_missing_input_is_named_in_one_line(missing: str, tmp_path: Path) -> None:
    plausible.write(tmp_path, images=50, skills={"model_0": 1.0})
    (tmp_path / missing).unlink()
    done = run(tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"error: {missing} not found: run `dvc repro` to make it\n"
    assert done.stdout == ""
    assert set(written_or_none(tmp_path)).isdisjoint(WRITTEN)


def written_or_none(folder: Path) -> list[str]:
    return [path.name for path in (folder / "reports").iterdir() if path.is_file()]


def test_help_says_what_the_stage_does(tmp_path: Path) -> None:
    done = subprocess.run(
        ["python", STAGE, "--help"],
        cwd=tmp_path,
        env={**ENVIRONMENT, **WARM},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "draw the figures" in done.stdout
