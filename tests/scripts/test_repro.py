"""`make repro`: parallel trainings give the bytes of `dvc repro`, and report failures."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from tests.conftest import ENVIRONMENT, WARM, digests

OUTPUTS = [
    "models/*/*.h5",
    "reports/histories/*/*.csv",
    "reports/evaluations/*/*.json",
    "reports/figures/*.png",
]


@pytest.fixture
def fresh(one_seed):
    """A workspace without trained models, in the cache as well; `before` has the digests of its outputs."""
    one_seed.before = digests(one_seed.root, *OUTPUTS)
    one_seed.run("dvc", "cache", "dir", "--local", "--unset")
    one_seed.run("git", "clean", "-dfqX")
    return one_seed


def test_three_trainings_at_once_give_the_bytes_of_dvc_repro(fresh):
    printed = fresh.run("python", "scripts/repro.py", JOBS="3")
    assert digests(fresh.root, *OUTPUTS) == fresh.before
    assert fresh.run("git", "status", "--porcelain") == ""  # dvc.lock too
    for name in ("model_0", "model_1", "model_2"):
        assert f"{name} seed 0: epoch 2/2: loss " in printed
        log = (fresh.root / f"models/checkpoints/{name}-seed_0.train.log").read_text()
        assert f"Running stage 'train@{name}-0'" in log
        assert f"{name} seed 0: epoch 2/2: loss " in log
        assert '"progress"' not in printed + log
        assert f"{name} seed 0: test accuracy " in printed
    for noun in ("trainings", "evaluations"):
        assert f"0 of 3 {noun} done\n" in printed
        assert re.search(rf"^[12] of 3 {noun} done, about \d+ s left$", printed, re.MULTILINE)
        assert f"3 of 3 {noun} done\n" in printed
    again = fresh.run("python", "scripts/repro.py", JOBS="3")
    assert "Running stage" not in again


def test_a_failed_training_shows_its_log_and_keeps_the_finished_ones(workspace):
    workspace.edit("params.yaml", "SGD: {learning_rate: 0.01}", "SGD: {learning_rate: 1.0e+18}")
    workspace.edit_model("model_0", "units: 256", "units: 8")
    printed = workspace.run("python", "scripts/repro.py", expect=1, JOBS="1")
    assert "error: train@model_2-0 failed" in printed
    assert "try a smaller learning_rate" in printed
    assert "Traceback" not in printed
    status = workspace.run("dvc", "status", "train")
    assert "train@model_2-0" in status
    assert "train@model_0-0" not in status


@pytest.mark.parametrize("jobs", ["0", "two", "-1"])
def test_jobs_has_to_be_a_number(finished, jobs):
    printed = finished.run("python", "scripts/repro.py", expect=1, JOBS=jobs)
    assert printed == f"error: JOBS: got {jobs!r}, expected how many stages to run at once, 1 or more\n"


@pytest.mark.parametrize("seeds", ["[]", "[0, 0]", "[-1]", "[a]", "2"])
def test_a_fault_of_the_seeds_is_one_line(workspace, seeds):
    workspace.edit("params.yaml", "seeds: [0, 1]", f"seeds: {seeds}")
    printed = workspace.run("python", "scripts/repro.py", expect=2)
    assert printed.startswith("error: params.yaml: train.seeds")
    assert printed.count("\n") == 1


def test_one_after_the_other_on_a_terminal_each_has_a_live_line(fresh):
    fresh.edit("params.yaml", "seeds: [0]", "seeds: [0, 1]")
    fresh.edit("params.yaml", "epochs: 2", "epochs: 30")  # long enough to be seen
    fresh.keep_models("model_0")
    outside, inside = pty.openpty()
    process = subprocess.Popen(
        ["python", "scripts/repro.py"],
        cwd=fresh.root,
        env={**ENVIRONMENT, **WARM, "JOBS": "1", "TERM": "xterm", "COLUMNS": "120"},
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    shown = ""
    with contextlib.suppress(OSError):  # so Linux tells of the end
        while chunk := os.read(outside, 4096):
            shown += chunk.decode(errors="replace")
    os.close(outside)
    assert process.wait() == 0
    assert "model_0 seed 1: waiting" in shown
    assert "0 of 2 trainings done, about " in shown
    assert "epoch 1/30" in shown
    assert "loss=" in shown
    assert "accuracy=" in shown


def stage_of(checkpoint):
    """Return the stage whose unfinished training a checkpoint holds."""
    return f"train@{checkpoint.stem.replace('-seed_', '-')}"


def test_ctrl_c_ends_all_trainings_and_they_go_on_later(fresh):
    fresh.edit("params.yaml", "epochs: 2", "epochs: 20")
    fresh.edit_model("model_1", "units: 1000", "units: 100")
    process = fresh.start("python", "scripts/repro.py", JOBS="2", **WARM)
    end = time.monotonic() + 90
    while not list(fresh.root.glob("models/checkpoints/*.npz")):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    printed = process.communicate()[0]
    assert process.returncode == 1, printed
    assert "interrupted: `make repro` goes on" in printed
    assert "Traceback" not in printed
    for state in fresh.root.glob("models/checkpoints/*.npz"):
        assert "resuming after epoch" in fresh.run("dvc", "repro", "--single-item", stage_of(state))
