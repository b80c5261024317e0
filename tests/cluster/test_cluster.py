"""A real cluster on 127.0.0.1: a dask scheduler, two workers, a DVC remote behind an SSH server."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml

from cifar10 import commands
from cifar10.cluster import checks
from cifar10.errors import UserError
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


@pytest.fixture(scope="module")
def prepared(finished, module_path, remote):
    """A clone with one seed in which nothing was trained, and a bare repository that it was pushed to.

    Its cache has what was evaluated elsewhere, so that nothing is evaluated again, but no training.
    """
    clone = Clone(module_path / "driver")
    subprocess.run(["git", "clone", "--quiet", finished.root, clone.root], check=True)
    clone.run("git", "checkout", "--quiet", "-B", "fewer-seeds", "one-seed")
    shutil.copytree(finished.root / ".dvc/cache", clone.root / ".dvc/cache", dirs_exist_ok=True)
    for path in (clone.root / ".dvc/cache/runs").rglob("*"):
        if path.is_file() and "stages/train.py" in (run := path.read_text()):
            for output in yaml.safe_load(run)["outs"]:
                cached(clone, output["md5"]).unlink(missing_ok=True)
            path.unlink()
    clone.run("dvc", "remote", "modify", "storage", "url", f"{remote.url}/storage")
    (clone.root / "dvc.lock").unlink()
    clone.run("dvc", "repro", "--quiet", "preprocess")
    clone.commit("Record the images")
    origin = module_path / "origin.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", clone.root, origin], check=True)
    clone.run("git", "remote", "set-url", "origin", str(origin))
    return clone


def cached(clone, md5):
    return clone.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


@pytest.fixture
def driver(prepared, tmp_path):
    """A copy of the clone. The tests share its remote: what one has trained is there for the next."""
    shutil.copytree(prepared.root, tmp_path / "driver", symlinks=True)
    return Clone(tmp_path / "driver")


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


def suspended_in(folder):
    """Suspend the training that works below `folder` after its first epoch."""
    end = time.monotonic() + 90
    while not (locks := [path for path in folder.rglob("train@*.lock") if path.read_text()]):
        assert time.monotonic() < end, f"no training below {folder}"
        time.sleep(0.05)
    process = psutil.Process(json.loads(locks[0].read_text())["process"])
    while not list(locks[0].parent.glob("*.npz")):
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
        servers.worker(tmp_path, "first", scheduler, **WARM, **remote.environment) as first,
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
    with servers.worker(tmp_path, "worker", scheduler, **WARM, **remote.environment):
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
    """Two signals while DVC works for the driver, two while it waits for workers."""
    works, waits = "images: pushing", "no worker has joined yet"
    signals = {signal.SIGHUP: works, signal.SIGINT: works, signal.SIGKILL: waits, signal.SIGTERM: waits}
    for number, said in signals.items():
        lines = []
        with started(driver, scheduler, **remote.environment) as process:
            read_until(process, said, lines)
            process.send_signal(number)
            lines += process.stdout
            code = process.wait(30)
        killed = number == signal.SIGKILL
        assert code == (-number if killed else 128 + number), "".join(lines)
        assert killed or lines[-1].startswith("error: interrupted"), "".join(lines)
        assert "Traceback" not in "".join(lines)


@pytest.fixture
def here(workspace, monkeypatch):
    """A clone as the working directory, where the checks of the driver run in this process."""
    pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(commands, "DVC", (f"{WARM['PATH'].partition(os.pathsep)[0]}/dvc",))
    return workspace


def refused(check, *arguments, words):
    with pytest.raises(UserError) as error:
        check(*arguments)
    assert "\n" not in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


def test_uncommitted_changes_are_refused(workspace):
    pytest.importorskip("distributed", reason="dask is not installed")
    (workspace.root / "new.py").write_text("")
    printed = workspace.run(*CLUSTER, NOBODY, expect=2)
    assert printed.startswith("error: uncommitted changes: new.py; ")
    assert "git commit" in printed
    assert printed.count("\n") == 1


def test_a_commit_that_the_workers_cannot_fetch_is_refused(here):
    here.edit("params.yaml", "epochs: 2", "epochs: 1")
    here.commit()
    commit = checks.commit(Path("reports/sweep.md"))
    refused(checks.git_url, None, commit, words=[commit[:12], "no worker can fetch it", "git push"])
    refused(checks.git_url, "/nowhere", commit, words=["--git-url /nowhere", "does not exist"])
    here.run("git", "remote", "remove", "origin")
    refused(checks.git_url, None, commit, words=["no git remote", "--git-url"])


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch):
    connecting = pytest.importorskip("cifar10.cluster.driver", reason="dask is not installed")
    monkeypatch.setattr(connecting, "CONNECT", "0.2s")  # not the whole patience
    refused(connecting.connect, NOBODY, words=[f"--scheduler {NOBODY}", "dask scheduler"])
    refused(connecting.connect, "nonsense://x", words=["nonsense", "dask scheduler"])


def test_a_clone_without_a_remote_is_refused(here):
    here.edit(".dvc/config", "    remote = storage\n", "")
    refused(checks.remote, words=["no default DVC remote", "dvc remote add"])


def test_a_remote_that_does_not_answer_is_refused(here):
    url = "ssh://127.0.0.1:9/nowhere"
    here.edit(".dvc/config", "url = ../../cifar10-storage", f"url = {url}")
    refused(checks.remote, words=["DVC remote storage", url, "does not answer"])


def test_images_that_the_commit_does_not_record_are_refused(here, tmp_path):
    here.edit("params.yaml", "validation_fraction: 0.1", "validation_fraction: 0.2")
    here.commit()
    refused(checks.publish_images, "url", words=["dvc.lock has changed", "git commit"])


def test_a_failing_training_ends_the_run_with_its_last_words(workspace, scheduler, tmp_path):
    workspace.run("dvc", "remote", "modify", "storage", "url", str(tmp_path / "storage"))
    workspace.edit("params.yaml", "seeds: [0, 1]", "seeds: [0]")
    workspace.edit("params.yaml", "SGD: {learning_rate: 0.01}", "SGD: {learning_rate: 1.0e+18}")
    workspace.commit()
    with servers.worker(tmp_path, "worker", scheduler, **WARM):
        printed = workspace.run(*CLUSTER, scheduler, "--git-url", ".", expect=2)
    assert "try a smaller learning_rate" in printed
    assert re.search(
        "^error: model_2 seed 0: `dvc repro .* train@model_2-0` ended with exit code",
        printed.splitlines()[-1],
    )


def test_help_is_quick_and_names_the_options(finished):
    printed = finished.run("python", "-m", "cifar10.cluster", "--help")
    assert [word for word in ("--scheduler", "--set", "--git-url", "--output") if word not in printed] == []
