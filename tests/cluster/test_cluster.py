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

from cifar10 import commands, paths
from cifar10.cluster import checks
from cifar10.errors import UserError
from tests import servers
from tests.conftest import WARM, Clone, digests

TRAINED = ["models/*/*.h5", "reports/histories/*/*.csv"]
CLUSTER = ["python", "-m", "cifar10.cluster", "--scheduler"]
NOBODY = "tcp://127.0.0.1:9"  # nothing listens there
MISSING = ("train@model_0-0", "train@model_2-0")


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    with servers.ssh_remote(tmp_path_factory.mktemp("ssh")) as found:
        yield found


@pytest.fixture(scope="module")
def scheduler(dvc, tmp_path_factory):
    with servers.scheduler(tmp_path_factory.mktemp("scheduler"), **WARM) as address:
        yield address


@pytest.fixture(scope="module")
def worker(module_path, scheduler, remote):
    with servers.worker(module_path, "worker", scheduler, **WARM, **remote.environment) as found:
        yield found


@pytest.fixture(scope="module")
def driver(finished, module_path, remote):
    """A clone with one seed in which two trainings are missing, and a bare repository that it was pushed to.

    Its cache has what is not a training, and model_1, so that nothing is evaluated again. The tests share
    it in their order: what one has trained is there for the next.
    """
    clone = Clone(module_path / "driver")
    subprocess.run(["git", "clone", "--quiet", finished.root, clone.root], check=True)
    clone.run("git", "checkout", "--quiet", "-B", "fewer-seeds", "one-seed")
    cache = clone.root / ".dvc/cache"
    shutil.copytree(finished.root / ".dvc/cache", cache, dirs_exist_ok=True, copy_function=os.link)
    clone.run("dvc", "checkout", "--quiet")
    for path in (cache / "runs").rglob("*"):
        if path.is_file() and re.search(r"stages/train.py model_([02] 0|\d 1)", run := path.read_text()):
            for output in yaml.safe_load(run)["outs"]:
                md5 = output["md5"]
                (cache / "files/md5" / md5[:2] / md5[2:]).unlink(missing_ok=True)
            path.unlink()
    lock = yaml.safe_load((clone.root / "dvc.lock").read_text())
    for stage in (*MISSING, "evaluate@model_0-0"):
        for output in lock["stages"].pop(stage)["outs"]:
            (clone.root / output["path"]).unlink()
    (clone.root / "dvc.lock").write_text(yaml.safe_dump(lock, sort_keys=False))
    clone.run("dvc", "remote", "modify", "storage", "url", f"{remote.url}/storage")
    clone.commit("Forget two trainings")
    origin = module_path / "origin.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", clone.root, origin], check=True)
    clone.run("git", "remote", "set-url", "origin", str(origin))
    return clone


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
    pattern = f"dask-scratch-space/*/*/{paths.lock('').parent}/train@*.lock"  # in the worker's clone
    while not (locks := [path for path in folder.glob(pattern) if path.read_text()]):
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


def test_a_signal_ends_the_driver(driver, scheduler, remote):
    """While DVC works for it and while it waits for workers; the next test shows that the next run starts."""
    for number, said in ((signal.SIGINT, "images: pushing"), (signal.SIGKILL, "no worker has joined yet")):
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


def test_a_worker_killed_while_training_changes_no_byte_and_the_driver_trains_nothing(
    finished, driver, scheduler, remote, worker, tmp_path
):
    lines = []
    with (
        servers.worker(tmp_path, "first", scheduler, **WARM, **remote.environment) as first,
        started(driver, scheduler, **remote.environment) as process,
    ):
        model = read_until(process, rf"(\w+ seed \d): {first.address}: trains", lines)[1]
        training = suspended_in(first.folder)  # in the middle it stays, until somebody ends it
        first.process.kill()
        assert ended(training)  # or a training of nobody would go on beside the one that replaces it
        read_until(process, rf"{model}: {worker.address}: trains", lines)
        lines += process.stdout
        assert process.wait(30) == 0, "".join(lines)
    assert not list(worker.folder.rglob("data/raw/*"))  # a worker fetches what a training reads, no more
    text = "".join(lines)
    assert re.search("^trained on the cluster: 2, here: 0$", text, re.MULTILINE)
    assert "Running stage" not in text  # the missing evaluation was in the cache, the others had not changed
    found = digests(driver.root, *TRAINED)
    assert len(found) == 6
    right = digests(finished.root, *TRAINED)
    assert found == {name: right[name] for name in found}
    recorded = finished.run("git", "show", "one-seed:dvc.lock")
    assert yaml.safe_load((driver.root / "dvc.lock").read_text()) == yaml.safe_load(recorded)


def test_a_sweep_ends_in_a_table_and_every_training_is_there_for_the_driver(
    finished, driver, scheduler, remote, worker
):
    driver.keep_models("model_2")
    driver.commit("One model")
    driver.run("git", "push", "--quiet", "origin", "HEAD")
    printed = driver.run(*CLUSTER, scheduler, "--set", "train.seeds=[1]", **remote.environment)
    path = finished.root / "reports/evaluations/model_2/seed_1.json"
    accuracy = json.loads(path.read_text())["test"]["accuracy"]
    assert f"| model_2 | 1 | {100 * accuracy:.2f} % |" in printed
    assert (driver.root / "reports/sweep.md").read_text() in printed
    assert driver.run("git", "status", "--porcelain").split() == ["??", "reports/sweep.md"]
    driver.edit("params.yaml", "  - 0\n", "  - 1\n")
    assert "Running stage" not in driver.run(
        "dvc", "repro", "--pull", "train@model_2-1", **remote.environment
    )
    name = "models/model_2/seed_1.h5"
    assert digests(driver.root, name) == digests(finished.root, name)


def test_a_failing_training_ends_the_run_with_its_last_words(driver, scheduler, remote, worker):
    driver.run("git", "checkout", "--quiet", "params.yaml", "dvc.lock")
    rate = "models.model_2.optimizer.SGD.learning_rate=1.0e+18"
    command = [*CLUSTER, scheduler, "--git-url", ".", "--set", rate]
    printed = driver.run(*command, expect=2, **remote.environment)
    assert "try a smaller learning_rate" in printed
    assert re.search(
        r"^error: model_2 seed 0\b.*: `dvc repro .* train@model_2-0` ended with exit code",
        printed.splitlines()[-1],
    )


@pytest.fixture(scope="module")
def copied(clone_finished, module_path):
    pytest.importorskip("distributed", reason="dask is not installed")
    return clone_finished(module_path / "copied")


@pytest.fixture
def here(copied, monkeypatch):
    """A clone as the working directory, where the checks of the driver run in this process."""
    monkeypatch.chdir(copied.root)
    monkeypatch.setattr(commands, "DVC", (f"{WARM['PATH'].partition(os.pathsep)[0]}/dvc",))
    monkeypatch.setenv("PATH", WARM["PATH"])
    before = copied.run("git", "rev-parse", "HEAD").strip()
    yield copied
    copied.run("git", "reset", "--quiet", "--hard", before)


def refused(check, *arguments, words):
    with pytest.raises(UserError) as error:
        check(*arguments)
    assert "\n" not in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


def test_uncommitted_changes_are_refused(here):
    (here.root / "new.py").write_text("")
    printed = here.run(*CLUSTER, NOBODY, expect=2)
    (here.root / "new.py").unlink()
    assert printed.startswith("error: uncommitted changes: new.py; ")
    assert "git commit" in printed
    assert printed.count("\n") == 1


def test_a_commit_that_the_workers_cannot_fetch_is_refused(here):
    here.edit("params.yaml", "epochs: 2", "epochs: 1")
    here.commit()
    commit = checks.commit(Path("reports/sweep.md"))
    refused(checks.git_url, None, commit, words=[commit[:12], "no worker can fetch it", "git push"])
    refused(checks.git_url, "/nowhere", commit, words=["--git-url /nowhere", "does not exist"])
    assert checks.git_url(".", commit) == str(here.root)
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


def test_images_that_the_commit_does_not_record_are_refused(here):
    lock = yaml.safe_load((here.root / "dvc.lock").read_text())
    del lock["stages"]["preprocess"]  # the images themselves are in the cache
    (here.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    here.commit()
    refused(checks.publish_images, "url", words=["dvc.lock has changed", "git commit"])


def test_help_is_quick_and_names_the_options(finished):
    printed = finished.run("python", "-m", "cifar10.cluster", "--help")
    assert [word for word in ("--scheduler", "--set", "--git-url", "--output") if word not in printed] == []
