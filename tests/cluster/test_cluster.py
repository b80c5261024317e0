"""A real cluster on 127.0.0.1: a dask scheduler, two workers, a DVC remote behind an SSH server."""

import contextlib
import hashlib
import json
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml

from tests import servers
from tests.conftest import WARM, Clone, digests

TRAINED = ["models/*/*.h5", "reports/histories/*/*.csv"]
CLUSTER = ["python", "-m", "cifar10.cluster", "--scheduler"]
NOBODY = "tcp://127.0.0.1:9"  # nothing listens there


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    with servers.ssh_remote(tmp_path_factory.mktemp("ssh")) as found:
        yield found


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    with servers.scheduler(tmp_path_factory.mktemp("scheduler")) as address:
        yield address


def make_driver(finished, root, url):
    """A clone with one seed in which nothing was trained, and a bare repository that it was pushed to."""
    driver = Clone(root / "driver")
    subprocess.run(["git", "clone", "--quiet", finished.root, driver.root], check=True)
    driver.run("git", "checkout", "--quiet", "-B", "fewer-seeds", "one-seed")
    driver.run("dvc", "remote", "modify", "storage", "url", url)
    (driver.root / "dvc.lock").unlink()
    driver.run("dvc", "repro", "--quiet", "preprocess")
    driver.commit("Record the images")
    subprocess.run(["git", "clone", "--quiet", "--bare", driver.root, root / "origin.git"], check=True)
    driver.run("git", "remote", "set-url", "origin", str(root / "origin.git"))
    return driver


@pytest.fixture
def driver(finished, tmp_path, remote):
    return make_driver(finished, tmp_path, f"{remote.url}/{hashlib.md5(str(tmp_path).encode()).hexdigest()}")


@contextlib.contextmanager
def started(driver, scheduler, *arguments, **environment):
    """Run the driver; give its process, whose output is read line by line."""
    with driver.start(*CLUSTER, scheduler, *arguments, **WARM, **environment) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process, pattern, lines):
    """Read the driver's lines until one matches; collect them in `lines`."""
    for line in process.stdout:
        lines.append(line)
        if match := re.match(pattern, line):
            return match
    raise AssertionError(f"no line {pattern!r} in:\n{''.join(lines)}")


def training_in(folder):
    """Wait for the process of stages/train.py that works below `folder`."""
    for _ in range(200):
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if process.cmdline()[1:2] == ["stages/train.py"] and Path(process.cwd()).is_relative_to(
                    folder
                ):
                    return process
        time.sleep(0.1)
    raise AssertionError(f"no training below {folder}")


def suspended_in(folder):
    """Suspend the training that works below `folder` after its first epoch."""
    process, end = training_in(folder), time.monotonic() + 60
    checkpoints = Path(process.cwd(), "models/checkpoints")
    while not list(checkpoints.glob("*.npz")):
        assert time.monotonic() < end
        time.sleep(0.001)
    process.suspend()
    return process


def ended(process, seconds=20):
    """Wait for the end of a process; kill it if that does not come."""
    for _ in range(10 * seconds):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.1)
                continue
        return True
    process.kill()
    return False


def test_a_worker_killed_while_training_changes_no_byte_and_the_driver_trains_nothing(
    finished, driver, scheduler, remote, tmp_path
):
    lines = []
    with (
        servers.worker(tmp_path, "first", scheduler, **remote.environment) as first,
        servers.worker(tmp_path, "second", scheduler, **WARM, **remote.environment) as second,
        started(driver, scheduler, **remote.environment) as process,
    ):
        model = read_until(process, rf"(\w+ seed \d): {first.address}: trains", lines)[1]
        training = suspended_in(first.folder)  # in the middle it stays, until somebody ends it
        first.process.kill()
        assert ended(training)  # or a training of nobody would go on beside the one that replaces it
        read_until(process, rf"{model}: {second.address}: trains", lines)
        lines += process.stdout
        assert process.wait(30) == 0, "".join(lines)
        assert not list(second.folder.rglob("data/raw/*"))  # a worker fetches what a training reads, no more
    text = "".join(lines)
    assert re.search("^trained on the cluster: 3, here: 0$", text, re.MULTILINE)
    assert [name for name in re.findall(r"Running stage '([^']+)'", text) if name.startswith("train")] == []
    found = digests(driver.root, *TRAINED)
    assert found == {
        name: digest for name, digest in digests(finished.root, *TRAINED).items() if name in found
    }
    assert len(found) == 6
    assert driver.run("git", "diff", "HEAD", "--", "reports/metrics") == ""  # what a local run committed
    recorded = finished.run("git", "show", "one-seed:dvc.lock")
    assert yaml.safe_load((driver.root / "dvc.lock").read_text()) == yaml.safe_load(recorded)


def test_a_sweep_ends_in_a_table_and_every_training_is_there_for_the_driver(
    finished, driver, scheduler, remote, tmp_path
):
    parameters = yaml.safe_load((driver.root / "params.yaml").read_text())
    parameters["models"] = {"model_0": parameters["models"]["model_0"]}
    (driver.root / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    driver.commit("One model")
    driver.run("git", "push", "--quiet", "origin", "HEAD")
    with (
        servers.worker(tmp_path, "first", scheduler, **WARM, **remote.environment),
        servers.worker(tmp_path, "second", scheduler, **WARM, **remote.environment),
    ):
        printed = driver.run(*CLUSTER, scheduler, "--set", "train.seeds=[0,5]", **remote.environment)
    path = finished.root / "reports/evaluations/model_0/seed_0.json"
    accuracy = json.loads(path.read_text())["test"]["accuracy"]
    row = re.search(r"^\| model_0 \| 2 \| ([\d.]+) ± ([\d.]+) % \|", printed, re.MULTILINE)
    assert row
    # two values lie half of their difference from the mean, which is the deviation divided by the root of 2
    assert abs(float(row[1]) - 100 * accuracy) == pytest.approx(float(row[2]) / 2**0.5, abs=0.01)
    assert (driver.root / "reports/sweep.md").read_text() in printed
    assert driver.run("git", "status", "--porcelain").split() == ["??", "reports/sweep.md"]
    parameters["train"]["seeds"] = [5]
    (driver.root / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    assert "Running stage" not in driver.run(
        "dvc", "repro", "--pull", "train@model_0-5", **remote.environment
    )


def test_a_signal_ends_the_driver_and_the_next_run_starts(driver, scheduler, remote):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT):
        lines = []
        with started(driver, scheduler, **remote.environment) as process:
            read_until(process, "no worker has joined yet", lines)
            process.send_signal(number)
            lines += process.stdout
            code = process.wait(30)
        killed = number == signal.SIGKILL
        assert code == (-number if killed else 128 + number), "".join(lines)
        assert killed or lines[-1].startswith("error: interrupted"), "".join(lines)
        assert "Traceback" not in "".join(lines)


def refused(driver, *arguments, words, **environment):
    printed = driver.run(*arguments, expect=2, **environment)
    last = printed.splitlines()[-1]
    assert last.startswith("error: ")
    assert "Traceback" not in printed
    assert [word for word in words if word not in last] == []


def test_uncommitted_changes_are_refused(workspace):
    pytest.importorskip("distributed", reason="dask is not installed")
    (workspace.root / "new.py").write_text("")
    refused(workspace, *CLUSTER, NOBODY, words=["uncommitted", "new.py", "git commit"])


def test_a_commit_that_the_workers_cannot_fetch_is_refused(workspace):
    pytest.importorskip("distributed", reason="dask is not installed")
    workspace.edit("params.yaml", "epochs: 2", "epochs: 1")
    workspace.commit()
    refused(workspace, *CLUSTER, NOBODY, words=["no worker can fetch it", "git push"])
    refused(
        workspace, *CLUSTER, NOBODY, "--git-url", "/nowhere", words=["--git-url /nowhere", "does not exist"]
    )
    workspace.run("git", "remote", "remove", "origin")
    refused(workspace, *CLUSTER, NOBODY, words=["no git remote", "--git-url"])


def test_a_scheduler_that_does_not_answer_is_refused(workspace):
    pytest.importorskip("distributed", reason="dask is not installed")
    refused(workspace, *CLUSTER, NOBODY, words=[NOBODY, "dask scheduler"])
    refused(workspace, *CLUSTER, "nonsense://x", words=["nonsense", "dask scheduler"])


def test_a_clone_without_a_remote_is_refused(workspace):
    pytest.importorskip("distributed", reason="dask is not installed")
    workspace.run("dvc", "remote", "default", "--unset")
    workspace.commit()
    refused(workspace, *CLUSTER, NOBODY, "--git-url", ".", words=["no default DVC remote", "dvc remote add"])


def test_a_remote_that_does_not_answer_is_refused(workspace, scheduler, remote):
    url = "ssh://127.0.0.1:9/nowhere"
    workspace.run("dvc", "remote", "modify", "storage", "url", url)
    workspace.commit()
    refused(workspace, *CLUSTER, scheduler, "--git-url", ".", words=["DVC remote storage", url])


def test_images_that_the_commit_does_not_record_are_refused(workspace, scheduler):
    workspace.edit("params.yaml", "validation_fraction: 0.1", "validation_fraction: 0.2")
    workspace.commit()
    refused(workspace, *CLUSTER, scheduler, "--git-url", ".", words=["dvc.lock has changed", "git commit"])


def test_a_failing_training_ends_the_run_with_its_last_words(workspace, scheduler, tmp_path):
    workspace.run("dvc", "remote", "modify", "storage", "url", str(tmp_path / "storage"))
    workspace.edit("params.yaml", "SGD: {learning_rate: 0.01}", "SGD: {learning_rate: 1.0e+18}")
    workspace.commit()
    with servers.worker(tmp_path, "worker", scheduler, **WARM):
        printed = workspace.run(*CLUSTER, scheduler, "--git-url", ".", expect=2)
    assert "try a smaller learning_rate" in printed
    assert re.search(
        "^error: model_2 seed .: `dvc repro .* train@model_2-.` ended with exit code",
        printed.splitlines()[-1],
    )


def test_help_is_quick_and_names_the_options(finished):
    printed = finished.run("python", "-m", "cifar10.cluster", "--help")
    assert [word for word in ("--scheduler", "--set", "--git-url", "--output") if word not in printed] == []
