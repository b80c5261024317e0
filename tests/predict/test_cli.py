"""cifar10-classify as a user runs it, on models of the digits."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image
from rich.cells import cell_len

from cifar10.evaluation import predictions
from cifar10.predict import cli
from tests.conftest import ENVIRONMENT, WARM

COMMAND = ("python", "-m", "cifar10.predict")
MODELS = ["model_0", "model_1", "model_2"]
ASTRONAUT = str(Path(skimage.__file__).parent / "data/astronaut.png")


@pytest.fixture(scope="module")
def pictures(finished, tmp_path_factory):
    """The test images as PNG files, in order."""
    folder = tmp_path_factory.mktemp("pictures")
    for index, image in enumerate(np.load(finished.root / "data/processed/test/images.npy")):
        Image.fromarray(image).save(folder / f"{index:04d}.png")
    return folder


def scaled(probabilities, temperature):
    """Scale probabilities by class with a temperature."""
    powers = {label: value ** (1 / temperature) for label, value in probabilities.items()}
    return {label: power / sum(powers.values()) for label, power in powers.items()}


def predicted(finished, name, seed=0):
    with (finished.root / f"reports/predictions/{name}/seed_{seed}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def found(finished, pictures):
    """Return the output of the command for the test images and, last, the astronaut."""
    return json.loads(finished.run(*COMMAND, str(pictures), ASTRONAUT, "--json"))


def test_the_prediction_without_a_detector_has_the_same_classes(finished, pictures, found):
    """The side of benchmarks/detector_cost.py; its probabilities are not scaled."""
    printed = finished.run("python", "benchmarks/plain_prediction.py", str(pictures), "--model", "model_1")
    rows = [line.split(maxsplit=3) for line in printed.splitlines() if line.startswith(str(pictures))]
    both = zip(predicted(finished, "model_1", 0), predicted(finished, "model_1", 1), strict=True)
    for (name, model, label, rest), entry, trainings in zip(rows, found["images"][:-1], both, strict=True):
        assert (name, model) == (entry["image"], "model_1")
        chances = entry["answers"]["model_1"]["probabilities"]
        assert label == max(chances, key=chances.get)
        mean = np.mean([float(row[f"probability_{label}"]) for row in trainings])
        assert float(rest.split()[0]) == pytest.approx(100 * mean, abs=0.051)


def test_an_answer_loads_no_library_of_the_report():
    """They would add a second to every start."""
    code = (
        "import sys; from cifar10.predict import cli, figure, model_folder; from cifar10.evaluation import "
        "ensemble_detector, explanations, input_size, predictions, temperature; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"pandas", "sklearn", "matplotlib", "scipy.stats"}.isdisjoint(loaded.stdout.split())


def test_the_answer_is_the_mean_of_the_recorded_probabilities_of_all_seeds(finished, found):
    for name in MODELS:
        assert found["models"][name]["seeds"] == [0, 1]
        both = zip(predicted(finished, name, 0), predicted(finished, name, 1), strict=True)
        for rows, entry in zip(both, found["images"][:-1], strict=True):
            answer = entry["answers"][name]
            mean = {
                label: np.mean([float(row[f"probability_{label}"]) for row in rows])
                for label in answer["probabilities"]
            }
            expected = scaled(mean, found["models"][name]["temperature"])
            assert answer["probabilities"] == pytest.approx(expected, abs=1e-6)
            assert max(mean, key=mean.get) == max(expected, key=expected.get)
            top = max(answer["probabilities"], key=answer["probabilities"].get)
            is_id = answer["id_score"] >= found["models"][name]["threshold"]
            assert answer["verdict"] == (top if is_id else None)


def test_test_images_as_files_get_the_classes_that_were_recorded(finished, pictures):
    seed = 1
    found = json.loads(finished.run(*COMMAND, str(pictures), "--seed", str(seed), "--json"))
    images = found["images"]
    assert [entry["image"] for entry in images] == sorted(map(str, pictures.iterdir()))
    for name in MODELS:
        assert found["models"][name]["seeds"] == [seed]
        rows = predicted(finished, name, seed)
        assert len(rows) == len(images)
        is_id = []
        evaluation = json.loads((finished.root / f"reports/evaluations/{name}/seed_{seed}.json").read_text())
        assert found["models"][name]["temperature"] == evaluation["calibrated"]["temperature"]
        for row, entry in zip(rows, images, strict=True):
            answer = entry["answers"][name]
            probabilities = answer["probabilities"]
            assert max(probabilities, key=probabilities.get) == row["predicted"]
            recorded = {label: float(row[f"probability_{label}"]) for label in probabilities}
            expected = scaled(recorded, found["models"][name]["temperature"])
            assert probabilities == pytest.approx(expected, rel=1e-5, abs=1e-12)
            is_id.append(answer["id_score"] >= found["models"][name]["threshold"])
            assert answer["verdict"] == (row["predicted"] if is_id[-1] else None)
        recorded = json.loads((finished.root / f"reports/ood/{name}/seed_{seed}.json").read_text())
        assert np.mean(is_id) == pytest.approx(recorded["scores"][recorded["score"]]["tpr"])


def test_the_person_of_the_report_is_answered_as_the_command_does(finished, found):
    entry = found["images"][-1]
    assert entry["image"] == ASTRONAUT
    for name in MODELS:
        files = [finished.root / f"reports/ood/{name}/seed_{seed}.json" for seed in (0, 1)]
        persons = [json.loads(file.read_text())["person"] for file in files]
        answer = entry["answers"][name]
        both = [person["probabilities"] for person in persons]
        mean = {label: np.mean([each[label] for each in both]) for label in answer["probabilities"]}
        expected = scaled(mean, found["models"][name]["temperature"])
        assert answer["probabilities"] == pytest.approx(expected, rel=1e-12)
        assert answer["id_score"] == pytest.approx(np.mean([person["id_score"] for person in persons]))
        row = next(line for line in person_table(finished) if line[0] == name)
        assert row[1] == (answer["verdict"] or "none of these")
        assert row[2] == predictions.percent(answer["p_value"])
        assert row[3].startswith(max(answer["probabilities"], key=answer["probabilities"].get))


def person_table(finished):
    """Return the rows of the table about a person."""
    _, _, rest = (finished.root / "reports/results.md").read_text().partition("## A person\n")
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in rest.splitlines() if "%" in line
    ]


def test_one_model_one_image_and_standard_input_give_the_same(finished, pictures):
    path = pictures / "0007.png"
    alone = finished.run(*COMMAND, "--model", "model_1", "--seed", "0", str(path)).splitlines()
    assert alone[0].split() == ["image", "model", "verdict", "unusual", "most", "probable", "second", "third"]
    assert len(alone) == 3
    assert alone[2].split()[:2] == [str(path), "model_1"]
    assert predicted(finished, "model_1")[7]["predicted"] in alone[2]
    with path.open("rb") as file:
        piped = subprocess.run(
            [*COMMAND, "-", "--model", "model_1", "--seed", "0"],
            cwd=finished.root,
            env={**ENVIRONMENT, **WARM},
            stdin=file,
            capture_output=True,
            text=True,
            check=True,
        )
    assert piped.stderr == ""
    assert piped.stdout.splitlines()[2].split()[1:] == alone[2].split()[1:]


def with_streams(clone, *arguments):
    """Run the command; keep standard output and standard error apart."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=clone.root,
        env={**ENVIRONMENT, **WARM},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_cannot_be_read_is_named_and_the_others_are_classified(finished, pictures, tmp_path):
    good = tmp_path / "sub" / "good.png"
    good.parent.mkdir()
    good.write_bytes((pictures / "0003.png").read_bytes())
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text\x1b[31m.png").write_text("no picture")
    (tmp_path / ".hidden.png").write_text("skipped")
    figure = tmp_path.parent / "answers.png"
    absent = tmp_path.parent / "absent.png"
    done = with_streams(finished, tmp_path, absent, "--seed", "0", "--figure", figure)
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == sorted(
        [
            f"error: {tmp_path}/empty.jpg: the file is empty",
            f"error: {tmp_path}/text\\x1b[31m.png: not a picture in a known format",
            f"error: {absent}: No such file or directory",
        ]
    )
    assert [line.split()[:2] for line in done.stdout.splitlines()[2:]] == [
        [str(good), name] for name in MODELS
    ]
    assert Image.open(figure).format == "PNG"


def loaded(printed):
    """Return the slow modules in the output of `-X importtime`."""
    slow = ("tensorflow", "keras", "pandas", "numpy", "matplotlib", "sklearn")
    return [name for name in slow if f" {name}\n" in printed]


def test_nothing_readable_starts_no_model(finished, tmp_path):
    run = ("python", "-X", "importtime", *COMMAND[1:])
    assert "tensorflow" not in loaded(finished.run(*run, str(tmp_path / "absent.png"), expect=1))
    printed = finished.run(*run, str(tmp_path), expect=2)
    assert "no files" in printed
    assert "tensorflow" not in loaded(printed)


def test_help_is_quick_and_loads_no_tensorflow(finished):
    printed = finished.run("python", "-X", "importtime", *COMMAND[1:], "--help")
    assert "usage: cifar10-classify" in printed
    assert loaded(printed) == []


def test_without_a_detector_it_says_what_fetches_or_makes_it(workspace, pictures):
    gone = "models/model_1/seed_0.ood.npz"
    (workspace.root / gone).unlink()
    printed = workspace.run(*COMMAND, str(pictures / "0000.png"), expect=2)
    assert (
        printed == f"error: {gone} not found: run `dvc pull {gone}` to fetch it or `dvc repro` to make it\n"
    )


def test_a_part_of_the_trainings_gives_no_answer_unless_one_is_chosen(workspace, pictures):
    run = (*COMMAND, str(pictures / "0000.png"))
    (workspace.root / "models/model_1/seed_0.h5").unlink()
    printed = workspace.run(*run, expect=2)
    assert printed == (
        "error: expected the seeds 0, 1 of each model in models, found model_0: 0, 1; model_1: 1; "
        "model_2: 0, 1: run `make pull` or `dvc repro` for the others, or answer with one training: "
        "--seed 1\n"
    )
    assert len(workspace.run(*run, "--seed", "1").splitlines()) == 2 + 3
    assert "found model_0: 0; model_1: none; model_2: 0: run" in workspace.run(*run, "--seed", "0", expect=2)
    (workspace.root / "models/model_2/seed_1.h5").unlink()
    assert workspace.run(*run, expect=2).endswith(
        "model_2: 0: run `make pull` or `dvc repro` for the others\n"
    )


@pytest.mark.parametrize("seed", ["7", "-1", "x"])
def test_a_seed_that_was_not_trained_is_a_users_mistake(finished, pictures, seed):
    printed = finished.run(*COMMAND, f"--seed={seed}", str(pictures), expect=2)
    assert printed == f"error: params.yaml: train.seeds: got '{seed}', expected one of 0, 1\n"


def test_an_unknown_model_is_a_users_mistake(finished, pictures):
    printed = finished.run(*COMMAND, "--model", "model_9", str(pictures), expect=2)
    assert printed == "error: params.yaml: models: got 'model_9', expected one of model_0, model_1, model_2\n"


def test_a_wide_picture_is_cut_or_padded(finished, tmp_path):
    pixels = np.zeros((50, 150, 3), np.uint8)
    pixels[:, 40:110] = 255  # 10 more at each side, for the filter that scales looks beyond the edge
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    Image.new("RGB", (32, 32), "white").save(tmp_path / "white.png")
    run = (*COMMAND, "--model", "model_1", "--seed", "0", "--json")
    run += (str(tmp_path / "wide.png"), str(tmp_path / "white.png"))
    wide, white = (entry["answers"] for entry in json.loads(finished.run(*run))["images"])
    assert wide == white  # the middle square is white
    wide, white = (entry["answers"] for entry in json.loads(finished.run(*run, "--fit", "pad"))["images"])
    assert wide != white


def test_more_files_than_are_classified_at_once(finished, tmp_path):
    random = np.random.default_rng(0)
    for index in range(cli.AT_ONCE + 2):
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / f"{index}.png")
    printed = finished.run(*COMMAND, "--model", "model_1", "--seed", "0", str(tmp_path))
    assert len(printed.splitlines()) == 2 + cli.AT_ONCE + 2


@pytest.fixture
def hard(tmp_path, pictures):
    """A folder with pictures of hard names: not UTF-8, wide letters, a leading dash, a control character."""
    for name in (b"caf\xe9.png", "漢字の写真.png".encode(), b"-x.png", b"plain.png", b"red\x1b[31m.png"):
        (tmp_path / os.fsdecode(name)).write_bytes((pictures / "0003.png").read_bytes())
    return tmp_path


def test_hard_names_are_escaped_in_json_and_aligned_in_the_table(finished, hard):
    run = (*COMMAND, str(hard), "--model", "model_1", "--seed", "0", "--figure")
    table = finished.run(*run, str(hard.parent / "a.svg"))
    assert "Traceback" not in table
    rows = [line for line in table.splitlines() if "  model_1  " in line]
    columns = {cell_len(row[: row.index("model_1")]) for row in rows}
    assert len(columns) == 1
    assert [Path(row.split()[0]).name for row in rows] == sorted(
        ["-x.png", "caf\\xe9.png", "plain.png", "red\\x1b[31m.png", "漢字の写真.png"]
    )
    content = json.loads(finished.run(*run[:-1], "--json"))
    assert {Path(entry["image"]).name for entry in content["images"]} == {
        "-x.png",
        "caf\\xe9.png",
        "plain.png",
        "red\x1b[31m.png",
        "漢字の写真.png",
    }
    assert all(entry["warnings"] == [] for entry in content["images"])


def test_nothing_readable_with_a_figure_prints_the_json_and_draws_nothing(finished, tmp_path):
    (tmp_path / "note.txt").write_text("hello\n")
    one = ("--model", "model_1", "--seed", "0")
    done = with_streams(finished, tmp_path / "note.txt", *one, "--json", "--figure", tmp_path / "a.png")
    assert done.returncode == 1
    assert json.loads(done.stdout)["images"] == []
    assert len(done.stderr.splitlines()) == 2
    assert not (tmp_path / "a.png").exists()


def test_a_figure_is_refused_before_the_start_and_fails_after_the_answers(finished, pictures, tmp_path):
    run = (*COMMAND, str(pictures / "0003.png"), "--model", "model_1", "--seed", "0", "--figure")
    assert finished.run(*run, str(pictures / "0003.png"), expect=2).startswith("error: --figure: ")
    assert "tensorflow" not in loaded(
        finished.run("python", "-X", "importtime", *run[1:], str(tmp_path / "a.xyz"), expect=2)
    )
    printed = finished.run(*run, f"/dev/full/../{'x' * 300}.png", expect=2)
    assert "is not a folder" in printed
    printed = finished.run(*run, str(tmp_path / f"{'x' * 250}.png"), expect=1)  # the temporary name is longer
    assert " model_1 " in printed.splitlines()[2]
    assert printed.splitlines()[-1].startswith("error: File name too long")


@pytest.mark.parametrize("arguments", [["-x.jpg"], ["a.jpg", "-x.jpg"], ["--x.jpg"], ["-help.jpg"]])
def test_a_name_that_begins_with_a_dash_is_explained(arguments, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cifar10-classify", *arguments])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    dashed = arguments[-1]
    assert f"if {dashed} is a file, write ./{dashed}, or -- before the files" in capsys.readouterr().err


def test_other_layers_than_those_of_params_are_one_line(workspace, pictures):
    workspace.edit_model("model_1", "activation: softmax", "activation: sigmoid")
    printed = workspace.run(*COMMAND, "--model", "model_1", str(pictures / "0000.png"), expect=1)
    assert "activation: sigmoid, the file has softmax): run `dvc repro`" in printed
    assert len(printed.splitlines()) == 1
