"""`make repro`: parallel trainings give the bytes of `dvc repro`, and report failures."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml

from scripts import repro
from tests.conftest import DATA, ENVIRONMENT, WARM, digests, heed_ctrl_c

OUTPUTS = [
    "models/*/*.h5",
    "reports/histories/*/*.csv",
    "reports/evaluations/*/*.json",
    "reports/figures/*_model_?.png",
]


@pytest.fixture
def fresh(one_seed, finished):
    """A workspace with data but no results: neither dvc.lock nor a run-cache has a training.

    `before` has the digests of its outputs, `recorded` what dvc.lock says of each stage.
    """
    one_seed.before = digests(one_seed.root, *OUTPUTS)
    one_seed.recorded = yaml.safe_load((one_seed.root / "dvc.lock").read_text())["stages"]
    one_seed.keep_records(*DATA)
    one_seed.run("dvc", "cache", "dir", "--local", "--unset")
    (one_seed.root / ".dvc/cache").mkdir()
    (one_seed.root / ".dvc/cache/files").symlink_to(finished.root / ".dvc/cache/files")
    one_seed.run("git", "clean", "-dfqX", "models", "reports")
    return one_seed


def test_two_trainings_at_once_give_the_bytes_of_dvc_repro(fresh):
    fresh.keep_models("model_0", "model_2")
    printed = fresh.run("python", "scripts/repro.py", JOBS="2")
    expected = {path: digest for path, digest in fresh.before.items() if "model_1" not in path}
    assert len(expected) == 2 * 6  # three files and three figures of a model
    assert digests(fresh.root, *OUTPUTS) == expected
    recorded = yaml.safe_load((fresh.root / "dvc.lock").read_text())["stages"]
    assert len(recorded) == 3 + 2 * 2 + 1
    assert {name for name in recorded if recorded[name] != fresh.recorded[name]} == {"report"}
    assert "??" not in fresh.run("git", "status", "--porcelain")
    for name in ("model_0", "model_2"):
        assert f"{name} seed 0: epoch 2/2: loss " in printed
        log = (fresh.root / f"models/checkpoints/{name}-seed_0.train.log").read_text()
        assert f"Running stage 'train@{name}-0'" in log
        assert f"{name} seed 0: epoch 2/2: loss " in log
        assert '"progress"' not in printed + log
        assert f"{name} seed 0: test accuracy " in printed
    for noun in ("trainings", "evaluations"):
        assert f"0 of 2 {noun} done\n" in printed
        assert re.search(rf"^1 of 2 {noun} done(, (about|at least) \d+ s left)?$", printed, re.MULTILINE)
        assert f"2 of 2 {noun} done\n" in printed
    again = fresh.run("python", "scripts/repro.py", JOBS="2")
    assert "Running stage" not in again


def test_a_training_without_a_finite_loss_shows_its_log_and_lets_the_others_go_on(workspace):
    workspace.edit("params.yaml", "SGD: {learning_rate: 0.01}", "SGD: {learning_rate: 1.0e+18}")
    path = workspace.root / "params.yaml"
    content = yaml.safe_load(path.read_text())
    content["models"] = {name: content["models"][name] for name in ("model_2", "model_0")}
    content["models"]["model_0"]["layers"][3]["Dense"]["units"] = 8  # is trained after model_2
    content["train"]["seeds"] = [0]
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    workspace.keep_records(*DATA)
    printed = workspace.run("python", "scripts/repro.py", expect=1, JOBS="1")
    assert "error: train@model_2-0 failed" in printed
    assert re.search(r"the loss of epoch 1 is \w+ from step \d+ on: try a smaller learning_rate", printed)
    assert "Traceback" not in printed
    status = workspace.run("dvc", "status", "train", "evaluate")
    assert "train@model_2-0" in status
    assert "@model_0-0" not in status


@pytest.mark.parametrize("jobs", ["0", "two", "-1"])
def test_jobs_has_to_be_a_number(jobs, monkeypatch):
    monkeypatch.setenv("JOBS", jobs)
    with pytest.raises(SystemExit) as end:
        repro.wanted_jobs()
    assert str(end.value) == f"error: JOBS: got {jobs!r}, expected how many stages to run at once, 1 or more"


def test_a_fault_of_the_seeds_is_one_line(workspace):
    """tests/test_params.py has the other faults."""
    workspace.edit("params.yaml", "seeds: [0, 1]", "seeds: [0, 0]")
    printed = workspace.run("python", "scripts/repro.py", expect=2)
    assert printed.startswith("error: params.yaml: train.seeds")
    assert printed.count("\n") == 1


def test_one_after_the_other_on_a_terminal_each_has_a_live_line_and_ctrl_c_ends_both(fresh):
    fresh.edit("params.yaml", "seeds: [0]", "seeds: [0, 1]")
    fresh.edit("params.yaml", "epochs: 2", "epochs: 300")  # long enough to be seen
    fresh.edit_model("model_0", "units: 256", "units: 16")
    fresh.keep_models("model_0")
    outside, inside = pty.openpty()

    def on_the_terminal():
        heed_ctrl_c()
        os.login_tty(inside)

    process = subprocess.Popen(
        ["python", "scripts/repro.py"],
        cwd=fresh.root,
        env={**ENVIRONMENT, **WARM, "JOBS": "1", "TERM": "xterm", "COLUMNS": "120"},
        preexec_fn=on_the_terminal,
    )
    os.close(inside)
    expected = {"seed 1: waiting", "0 of 2 trainings done, about ", "epoch 1/300", "loss=", "accuracy="}
    shown = ""
    with contextlib.suppress(OSError):  # so Linux tells of the end
        while chunk := os.read(outside, 4096):
            shown += chunk.decode(errors="replace")
            if expected and all(text in shown for text in expected):
                os.write(outside, b"\x03")  # Ctrl-C
                expected.clear()
    os.close(outside)
    assert expected == set(), shown
    assert process.wait() == 130
    assert "interrupted by Ctrl-C: `make repro` resumes each training after its last full epoch" in shown
    assert left_in(fresh.root) == []


def left_in(folder):
    """List the processes that work below a folder, without the server of warm programs."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process.cmdline())
    return found


def states(clone):
    """Return the time of each checkpoint."""
    found = clone.root.glob("models/checkpoints/*.npz")
    return {path.name: path.stat().st_mtime_ns for path in found if path.exists()}


def wait_for_checkpoint(clone, process, before):
    """Wait until a training has written a checkpoint that is not in `before`, or the end of the process."""
    end = time.monotonic() + 90
    while process.poll() is None and not states(clone).items() - before.items():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_signals_leave_nothing_running_and_the_next_run_ends_in_the_same_bytes(fresh):
    """A second run meanwhile, and after each signal the next run goes on. A test above has Ctrl-C."""
    fresh.edit("params.yaml", "epochs: 2", "epochs: 10")
    fresh.keep_models("model_0", "model_1")
    printed = ""
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGHUP):
        before = states(fresh)
        process = fresh.start("python", "scripts/repro.py", JOBS="2", **WARM)
        if number == signal.SIGTERM:
            printed += read_until("0 of 2 trainings done", process)
            other = fresh.run("python", "scripts/repro.py", expect=75)
            assert re.fullmatch(r"error: another run is in progress \(process \d+\): wait .*\n", other)
        if number == signal.SIGHUP:  # the last run: its trainings end
            printed += read_until("0 of 2 evaluations done", process)
        else:
            wait_for_checkpoint(fresh, process, before)
        process.send_signal(number)
        last = process.communicate()[0]
        printed += last
        if number == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
            end = time.monotonic() + 20
            while left_in(fresh.root) and time.monotonic() < end:
                time.sleep(0.1)
        else:
            assert process.returncode == 128 + number, printed
            assert last.endswith(
                f"interrupted by {number.name}: "
                "`make repro` resumes each training after its last full epoch\n"
            )
        assert "Traceback" not in last
        assert left_in(fresh.root) == []
    assert "resuming after epoch" in printed
    assert "2 of 2 trainings done" in printed
    assert not [*fresh.root.glob("models/checkpoints/*.npz"), *fresh.root.glob("models/checkpoints/*.lock")]
    trained = digests(fresh.root, *OUTPUTS[:2])
    assert len(trained) == 4
    fresh.run("python", "stages/train.py", "model_1", "0")
    assert digests(fresh.root, *OUTPUTS[:2]) == trained


def read_until(text, process):
    """Read lines of a process up to the one that has a text; return them."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            break
    return "".join(lines)


def test_a_training_goes_on_after_dvc_was_ended_and_no_lock_is_left(fresh):
    fresh.edit("params.yaml", "epochs: 2", "epochs: 150")  # the stage ends half a second after DVC
    fresh.edit_model("model_2", "units: 200", "units: 10")
    fresh.keep_models("model_2")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        process = fresh.start("dvc", "repro", "train@model_2-0", **WARM)
        wait_for_checkpoint(fresh, process, states(fresh))
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        printed = process.communicate()[0]
        assert process.returncode != 0, printed
        assert "Traceback" not in printed
        assert left_in(fresh.root) == []
    (fresh.root / ".dvc/tmp/rwlock").write_text('{"read": {"half')
    process = fresh.start("python", "scripts/repro.py", JOBS="2", **WARM)
    printed = read_until("model_2 seed 0: resuming after epoch", process)
    process.terminate()
    process.communicate()
    assert "resuming" in printed
    assert "error" not in printed
