"""A killed training resumes after its last complete epoch and gives the same bytes.

The trainings are warm (tests/warm.py), so that kills hit the training and not the start of TensorFlow.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from cifar10 import machine
from tests.conftest import WARM, Clone

CHECKPOINT = "models/checkpoints/model_1-seed_0.npz"
WRITTEN = "models/checkpoints/.model_1-seed_0.tmp.npz"  # while the checkpoint is written
MODEL = "models/model_1/.seed_0.tmp.h5"  # while the model is written
# a stage whose files cannot grow over 0.5 MB, as on a full disk
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
sys.argv = ["stages/train.py", "model_1", "0"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


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


def read_until(text, process):
    """Read lines of a process up to the one that has a text; return them."""
    printed = ""
    while text not in printed and (line := process.stdout.readline()):
        printed += line
    return printed


def wait_for(path, process):
    """Wait for a file that is being written, or for the end of the process."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.0005)


class Whole(Clone):
    """A clone with the data, for eleven epochs; `digests` are those of a training without interruption."""

    digests: list[str]


@pytest.fixture(scope="module")
def whole(finished, module_path):
    clone = Whole(module_path / "clone")
    subprocess.run(["git", "clone", "--quiet", finished.root, clone.root], check=True)
    (clone.root / "data").mkdir(exist_ok=True)
    (clone.root / "data/processed").symlink_to(finished.root / "data/processed")
    clone.edit("params.yaml", "epochs: 2", "epochs: 11")
    assert "resuming" not in clone.run("python", "stages/train.py", "model_1", "0")
    clone.digests = digests(clone.root)
    return clone


def training(root, process):
    """Wait for a training to hold its lock; return its process, which is not that of a warm client."""
    lock = root / "models/checkpoints/train@model_1-0.lock"
    while process.poll() is None:
        with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):  # no lock yet, or an old one
            record = json.loads(lock.read_text())
            found = psutil.Process(record["process"])
            if found.create_time() == record["started"]:
                return found
        time.sleep(0.01)
    raise AssertionError(process.communicate()[0])


def killed_while_it_writes(root, path):
    """Kill a training while it writes a file; return what it printed.

    A training that was stopped too late, when the file had its final name, goes on.
    """
    path.unlink(missing_ok=True)  # left by an earlier kill
    process = train(root, **WARM)
    works = training(root, process)
    while process.poll() is None:
        wait_for(path, process)
        with contextlib.suppress(psutil.NoSuchProcess):
            works.suspend()
            while works.status() != psutil.STATUS_STOPPED:
                time.sleep(0.0005)
            if path.exists():
                works.kill()
                return process.communicate()[0]
            works.resume()
    printed = process.communicate()[0]
    assert process.returncode == 0, printed
    return printed + killed_while_it_writes(root, path)  # a training from the start


def killed_in_an_epoch(root):
    """Kill a training at a random moment after it has written a checkpoint."""
    checkpoint = root / CHECKPOINT
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
    process = train(root, **WARM)
    works = training(root, process)
    while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
        assert process.poll() is None
        time.sleep(0.001)
    time.sleep(random.Random(0).uniform(0, 0.05))  # an epoch takes 0.1 s
    works.kill()
    return process.communicate()[0]


def test_kills_end_in_the_same_bytes(whole):
    """One kill in each state of the files: what a training does next depends on these files alone."""
    (whole.root / "models/model_1/seed_0.h5").unlink()
    (whole.root / "reports/histories/model_1/seed_0.csv").unlink()
    process = train(whole.root, **WARM)
    training(whole.root, process).kill()  # without a file
    assert process.communicate()[0] == ""
    killed_while_it_writes(whole.root, whole.root / WRITTEN)  # the first checkpoint, most likely
    killed_in_an_epoch(whole.root)  # with a checkpoint
    printed = killed_while_it_writes(whole.root, whole.root / WRITTEN)  # with an earlier checkpoint
    assert "resuming after epoch" in printed
    killed_while_it_writes(whole.root, whole.root / MODEL)
    # the kill while the .h5 was written comes after the last checkpoint, however slow the machine is
    assert "resuming after epoch 11" in whole.run("python", "stages/train.py", "model_1", "0")
    assert digests(whole.root) == whole.digests
    assert not (whole.root / CHECKPOINT).exists()


def test_dvc_repro_goes_on_after_a_kill_of_all_its_processes(workspace, whole):
    workspace.edit("params.yaml", "epochs: 2", "epochs: 11")
    process = workspace.start("dvc", "repro", "--single-item", "train@model_1-0", **WARM)
    wait_for(workspace.root / CHECKPOINT, process)
    kill(process)
    printed = workspace.run("dvc", "repro", "--single-item", "train@model_1-0")
    assert "resuming after epoch" in printed
    assert digests(workspace.root) == whole.digests


def test_signals_keep_the_checkpoint_and_say_how_to_go_on(workspace):
    workspace.edit("params.yaml", "epochs: 2", "epochs: 30")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = train(workspace.root, **WARM)
        printed = read_until(": loss ", process)  # TensorFlow has compiled the step, and one epoch is over
        os.killpg(process.pid, number)
        printed += process.communicate()[0]
        assert process.returncode == 128 + number, printed
        assert "error: interrupted" in printed
        assert "Traceback" not in printed
        assert ("resuming after epoch" in printed) is (number != signal.SIGINT)  # the first one begins
    assert (workspace.root / CHECKPOINT).exists()
    workspace.edit("params.yaml", "epochs: 30", "epochs: 1")  # a checkpoint of other parameters is not used
    assert "resuming" not in workspace.run("python", "stages/train.py", "model_1", "0")


def test_a_full_disk_is_a_clear_message_and_the_next_run_works(workspace, finished):
    before = digests(finished.root)
    printed = workspace.run("python", "-c", LIMITED, expect=1)
    assert "error: File too large" in printed
    assert "Traceback" not in printed
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
    checkpoint = workspace.root / CHECKPOINT
    wait_for(checkpoint, process)
    kill(process)
    kept = checkpoint.read_bytes()
    elsewhere = Path(__file__).parents[1] / "elsewhere.py"
    process = workspace.start("python", str(elsewhere), "SSE41", "stages/train.py", "model_1", "0", **WARM)
    printed = read_until("epoch 1/8", process)
    kill(process)
    reason = "starting over, the checkpoint is not usable: it was computed on .*; this is .*, SSE41"
    assert re.search(reason, printed), printed
    checkpoint.write_bytes(kept)
    process = train(workspace.root, **WARM)
    assert "resuming after epoch" in read_until("epoch 8/8", process)
    kill(process)
