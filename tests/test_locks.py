"""Lock files: who holds them, and what becomes of them when the holder dies."""

import errno
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cifar10 import dvc_locks, locks
from cifar10.errors import BusyError
from tests.conftest import ENVIRONMENT

HOLD = """
import sys, time
from pathlib import Path
from cifar10 import locks
with locks.held(Path(sys.argv[1]), "busy: {process}"):
    print("held", flush=True)
    time.sleep(60)
"""
BUSY = "busy: {process}"
FLOCK = "#include <errno.h>\nint flock(int fd, int op) { (void)fd; (void)op; errno = ENOLCK; return -1; }\n"


@pytest.fixture(scope="session")
def without_flock(tmp_path_factory):
    """A library that makes flock fail, as on some network file systems."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler or sys.platform != "linux":
        pytest.skip("no C compiler, or no LD_PRELOAD")
    root = tmp_path_factory.mktemp("flock")
    (root / "flock.c").write_text(FLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", root / "flock.so", root / "flock.c"], check=True)
    return {"LD_PRELOAD": str(root / "flock.so")}


def holder(path, **environment):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        env=ENVIRONMENT | {"PYTHONPATH": str(Path.cwd())} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def no_flock(descriptor):
    """Stand for `locks._lock` on a file system without locks, in this process."""
    return False


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path):
    path = tmp_path / "folder/lock"
    process = holder(path)
    with pytest.raises(BusyError, match=f"^busy: process {process.pid}$"), locks.held(path, BUSY):
        pass
    process.kill()
    process.wait()
    assert path.exists()
    with locks.held(path, BUSY):
        assert json.loads(path.read_text())["process"] == os.getpid()
    assert not path.exists()


def test_a_lock_is_waited_for(tmp_path):
    process = holder(tmp_path / "lock")
    stop = f"import os, time; time.sleep(0.5); os.kill({process.pid}, 9)"
    with subprocess.Popen([sys.executable, "-c", stop]):
        start = time.monotonic()
        with locks.held(tmp_path / "lock", BUSY, wait=30):
            assert 0.3 < time.monotonic() - start < 20
    process.wait()


def test_without_locks_of_the_file_system_the_record_decides(tmp_path, without_flock, monkeypatch):
    path = tmp_path / "lock"
    process = holder(path, **without_flock)
    assert (
        b"held"
        in subprocess.run(  # another program of the same system
            [sys.executable, "-c", HOLD.replace("60", "0"), tmp_path / "other"],
            env=ENVIRONMENT | {"PYTHONPATH": str(Path.cwd())} | without_flock,
            capture_output=True,
            check=True,
        ).stdout
    )
    monkeypatch.setattr(locks, "_lock", no_flock)
    with pytest.raises(BusyError, match=f"^busy: process {process.pid}$"), locks.held(path, BUSY):
        pass
    process.kill()
    process.wait()
    with locks.held(path, BUSY):
        pass


@pytest.mark.parametrize(
    ("record", "waits"),
    [
        (
            {"process": 1, "started": 5.0, "host": platform.node()},
            False,
        ),  # before the last start of the machine
        (
            {"process": os.getpid(), "started": 5.0, "host": platform.node()},
            False,
        ),  # another with the same ID
        ({"process": 2**22 + 1, "started": 5.0, "host": platform.node()}, False),
        ({"process": 1, "started": 5.0, "host": "another"}, True),
        ("{half", True),
        ("", False),
        ("[]", True),
    ],
    ids=["reboot", "same ID", "no process", "host", "half-written", "empty", "list"],
)
def test_the_record_of_a_dead_process_is_taken_over(tmp_path, monkeypatch, record, waits):
    monkeypatch.setattr(locks, "_lock", no_flock)
    monkeypatch.setattr(locks, "SILENCE", 0.5)
    path = tmp_path / "lock"
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    start = time.monotonic()
    with locks.held(path, BUSY):
        assert (time.monotonic() - start > 0.5) == waits
    assert not path.exists()


def test_a_living_process_of_another_host_keeps_its_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_lock", no_flock)
    monkeypatch.setattr(locks, "SILENCE", 1.0)
    path = tmp_path / "lock"
    path.write_text(json.dumps({"process": 1, "started": 5.0, "host": "another"}))
    touch = f"import os, time\nfor _ in range(30): time.sleep(0.1); os.utime({str(path)!r})"
    with subprocess.Popen([sys.executable, "-c", touch]) as process:
        with pytest.raises(BusyError, match=r"^busy: process 1 on another$"), locks.held(path, BUSY):
            pass
        process.kill()


def test_another_error_of_a_lock_is_one(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OSError, match=f"Errno {errno.EEXIST}|Errno {errno.ENOTDIR}"),
        locks.held(tmp_path / "file/lock", BUSY),
    ):
        pass


def test_dvc_gets_back_what_dead_processes_held(tmp_path):
    path, own = tmp_path / "rwlock", {"pid": os.getpid(), "cmd": "dvc repro"}
    dvc_locks.release_dead(path)  # no such file
    dead = {"pid": 2**22 + 1, "cmd": "dvc repro"}
    path.write_text(json.dumps({"read": {"a": [own, dead], "b": [dead]}, "write": {"c": own, "d": dead}}))
    dvc_locks.release_dead(path)
    assert json.loads(path.read_text()) == {"read": {"a": [own], "b": []}, "write": {"c": own}}
    started = psutil.Process().create_time()
    os.utime(path, (started - 60, started - 60))  # written before this process started: the ID was another's
    dvc_locks.release_dead(path)
    assert json.loads(path.read_text()) == {"read": {"a": [], "b": []}, "write": {}}
    for damaged in ("", '{"read": {', "[]", '{"read": {"a": [1]}, "write": {}}'):
        path.write_text(damaged)
        dvc_locks.release_dead(path)
        assert not path.exists()


MODELS = """
import os, sys
os.environ["HDF5_USE_FILE_LOCKING"] = "TRUE"  # of the user
from pathlib import Path
import cifar10
from cifar10 import params
from cifar10.training import tensorflow_setup
with tensorflow_setup.tensorflow():
    from cifar10.evaluation import trained_models
    from cifar10.training import models
entry = params.Model.model_validate({
    "optimizer": {"Adam": {}},
    "layers": [{"Flatten": {}}, {"Dense": {"units": "num_classes", "activation": "softmax"}}],
})
model, path = models.build("small", entry, 3), Path(sys.argv[1])
models.save(model, path, {"system": "any", "instructions": "any", "oneDNN": True, "versions": {}})
trained_models.load_weights(models.build("small", entry, 3), path)
print(trained_models.facts(model, path)["trained_on"])
"""


def test_models_are_written_and_read_without_locks_of_the_file_system(tmp_path, without_flock):
    done = subprocess.run(
        [sys.executable, "-c", MODELS, tmp_path / "model.h5"],
        env=ENVIRONMENT | {"PYTHONPATH": str(Path.cwd())} | without_flock,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "any, any\n"), done.stderr
