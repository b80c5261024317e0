"""A killed training resumes after its last complete epoch and gives the same bytes.

The trainings are warm (tests/warm.py), so that kills hit the training and not the start of TensorFlow.
Trainings with other arithmetic, with a limit, or ended by Ctrl-C start cold.
"""

import contextlib
import hashlib
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cifar10 import machine
from tests.conftest import ENVIRONMENT, WARM, Clone

KILLS = 5  # in a row, of each of the four trainings
CHECKPOINT = "models/checkpoints/.model_1-seed_0.tmp.npz"
MODEL = "models/model_1/.seed_0.tmp.h5"


def train(root, **environment):
    """Start a training of model_1 with seed 0."""
    return Clone(root).start("python", "stages/train.py", "model_1", "0", **environment)


def kill(process):
    with contextlib.suppress(ProcessLookupError):  # it has come to its end
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def digests(root):
    files = [root / "models/model_1/seed_0.h5", root / "reports/histories/model_1/seed_0.csv"]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def wait_for(path, process, seconds=60):
    """Wait for a file that is being written."""
    end = time.monotonic() + seconds
    while not path.exists() and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.0005)


@pytest.fixture
def clones(finished, tmp_path):
    """Five copies of the finished clone with the data, without the model, for six epochs."""
    roots = []
    for index in range(5):
        root = tmp_path / str(index)
        subprocess.run(["git", "clone", "--quiet", finished.root, root], check=True)
        (root / "data").mkdir(exist_ok=True)
        (root / "data/processed").symlink_to(finished.root / "data/processed")
        Clone(root).edit("params.yaml", "epochs: 2", "epochs: 6")
        roots.append(root)
    return roots


def killed_again_and_again(root, seed, seconds):
    """Kill a training KILLS times: at random moments, and while it writes; return what it printed at last.

    `seconds` is how long the whole training takes. A kill that comes too late does not count: the training
    has ended, or the file that it wrote has its final name.
    """
    chance, kills, printed = random.Random(seed), 0, ""
    while kills < KILLS:
        written = None
        if kills == KILLS - 1:  # once per training while the model is written
            written = root / MODEL
        elif kills == seed:  # and once while a checkpoint is written
            written = root / CHECKPOINT
        if written is not None:
            written.unlink(missing_ok=True)  # left by an earlier kill
        process = train(root, **WARM)
        if written is None:
            time.sleep(chance.uniform(0, 0.8 * seconds))
        else:
            wait_for(written, process)
        printed += kill(process)
        kills += process.returncode == -signal.SIGKILL and (written is None or written.exists())
    process = train(root, **WARM)
    printed += process.communicate()[0]
    assert process.returncode == 0, printed
    return printed


def test_twenty_kills_end_in_the_same_bytes(clones):
    *killed, whole = clones
    start = time.monotonic()
    process = train(whole, **WARM)
    assert "resuming" not in process.communicate()[0]
    seconds = time.monotonic() - start
    with ThreadPoolExecutor(2) as pool:
        printed = list(pool.map(killed_again_and_again, killed, range(4), [seconds] * 4))
    assert [digests(root) for root in killed] == [digests(whole)] * 4
    # the kill while the .h5 was written comes after the last checkpoint, however slow the machine is
    assert all("resuming after epoch 6" in text for text in printed)
    for root in killed:
        assert not (root / "models/checkpoints/model_1-seed_0.npz").exists()


def test_dvc_repro_goes_on_after_a_kill_of_all_its_processes(workspace, finished):
    workspace.edit("params.yaml", "epochs: 2", "epochs: 4")
    process = workspace.start("dvc", "repro", "--single-item", "train@model_1-0", **WARM)
    wait_for(workspace.root / "models/checkpoints/model_1-seed_0.npz", process)
    kill(process)
    printed = workspace.run("dvc", "repro", "--single-item", "train@model_1-0")
    assert "resuming after epoch" in printed
    resumed = digests(workspace.root)
    workspace.run("dvc", "repro", "--single-item", "--force", "train@model_1-0")
    assert digests(workspace.root) == resumed


def test_a_checkpoint_of_other_parameters_is_not_used(workspace):
    process = train(workspace.root, **WARM)
    wait_for(workspace.root / "models/checkpoints/model_1-seed_0.npz", process)
    kill(process)
    workspace.edit("params.yaml", "epochs: 2", "epochs: 1")
    assert "resuming" not in workspace.run("python", "stages/train.py", "model_1", "0")


def test_signals_keep_the_checkpoint_and_say_how_to_go_on(workspace):
    workspace.edit("params.yaml", "epochs: 2", "epochs: 30")
    begun = "epoch 1/30"
    for number, environment in ((signal.SIGINT, {}), (signal.SIGTERM, WARM), (signal.SIGHUP, WARM)):
        process = train(workspace.root, **environment)
        printed = ""
        while begun not in printed and process.poll() is None:
            printed += process.stdout.readline()
        os.killpg(process.pid, number)
        printed += process.communicate()[0]
        assert process.returncode == 128 + number, printed
        assert "error: interrupted" in printed
        assert "Traceback" not in printed
        begun = "resuming after epoch"


def test_a_full_disk_is_a_clear_message_and_the_next_run_works(workspace, finished):
    before = digests(finished.root)
    done = subprocess.run(
        [sys.executable, "stages/train.py", "model_1", "0"],
        cwd=workspace.root,
        env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "error: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert digests(workspace.root) == before  # what was there is still whole
    workspace.run("python", "stages/train.py", "model_1", "0")
    assert digests(workspace.root) == before


def test_a_place_that_cannot_be_written_is_a_clear_message(workspace):
    (workspace.root / "models/checkpoints").write_text("a file where a folder should be")
    printed = workspace.run("python", "stages/train.py", "model_1", "0", expect=1)
    assert printed.splitlines()[-1].startswith("error: ")
    assert "models/checkpoints" in printed
    assert "Traceback" not in printed


@pytest.mark.skipif(not machine.is_x86_64(), reason="one instruction set only")
def test_a_training_that_goes_on_with_another_arithmetic_starts_over_and_says_why(workspace):
    (workspace.root / "models/model_1/seed_0.h5").unlink()
    workspace.edit("params.yaml", "epochs: 2", "epochs: 8")
    process = train(workspace.root, **WARM)
    checkpoint = workspace.root / "models/checkpoints/model_1-seed_0.npz"
    wait_for(checkpoint, process)
    kill(process)
    kept = checkpoint.read_bytes()
    elsewhere = Path(__file__).parents[1] / "elsewhere.py"
    process = workspace.start(sys.executable, str(elsewhere), "SSE41", "stages/train.py", "model_1", "0")
    printed = ""
    while "epoch 1/8" not in printed and process.poll() is None:
        printed += process.stdout.readline()
    kill(process)
    reason = "starting over, the checkpoint is not usable: it was computed on .*; this is .*, SSE41"
    assert re.search(reason, printed), printed
    checkpoint.write_bytes(kept)
    assert "resuming after epoch" in train(workspace.root, **WARM).communicate()[0]
