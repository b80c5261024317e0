"""Experiments in DVC's queue, as docs/experiments.md describes them."""

import json
import re
import time
from pathlib import Path

import psutil
import pytest

from cifar10 import overrides
from tests import documents
from tests.conftest import digests

RATE = "models.model_2.optimizer.SGD.learning_rate"
DOCUMENT = Path("docs/experiments.md")
BLOCKS = [block.text for block in documents.blocks(DOCUMENT)]
VALUES = {"rate-1": 0.01, "rate-2": 1e-5}  # the present one, which is in the cache; DVC writes 1e-05


def processes_in(root):
    """List the processes of this user that run in a folder or below it."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(root):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture
def queue(workspace):
    """A clone with one model and one seed. No process is left of a test that fails.

    It has no files that are no part of the pipeline: DVC checks out all files for each experiment.
    """
    workspace.keep_models("model_2")
    workspace.edit("params.yaml", "  - 0\n  - 1\n", "  - 0\n")
    workspace.run("git", "rm", "-r", "--quiet", "benchmarks", "docs", "tests")
    workspace.commit("One model")
    yield workspace
    for process in processes_in(workspace.root):
        process.kill()


def test_two_queued_experiments_run_at_once_and_leave_the_workspace_as_it_is(queue, monkeypatch):
    content = ("*.yaml", "dvc.lock", "models/**/*.h5", "reports/**/*.json", "data/**/*.*")
    before = digests(queue.root, *content)
    queue.run("dvc", "exp", "run", "--queue", "--name", "rate", "-S", f"{RATE}=0.01,1e-5")
    assert queue.run("dvc", "queue", "status").count("Queued") == 2
    queue.run("dvc", "queue", "start", "-j", "2")
    end = time.monotonic() + 120
    while re.search("Queued|Running", queue.run("dvc", "queue", "status")) and time.monotonic() < end:
        time.sleep(3)
    queue.run("dvc", "queue", "stop")  # the workers, which otherwise wait for more work
    while processes_in(queue.root) and time.monotonic() < end:
        time.sleep(0.5)
    assert processes_in(queue.root) == []
    assert "! dvc queue status | grep -w Failed" in DOCUMENT.read_text()
    queue.run("bash", "-c", "! dvc queue status | grep -w Failed")
    logs = queue.run("dvc", "queue", "logs", "rate-2")
    assert queue.run("dvc", "queue", "status").count("Success") == 2, logs
    assert "model_2 seed 0: epoch 2/2" in logs

    (commit,) = (entry for entry in json.loads(queue.run("dvc", "exp", "show", "--json"))[1:])
    shown = {each["name"]: each["revs"][0]["data"] for each in commit["experiments"]}
    monkeypatch.chdir(queue.root)
    for name, value in VALUES.items():
        parameters = shown[name]["params"]["params.yaml"]["data"]
        _, expected = overrides.apply([f"{RATE}={value}"])
        assert parameters["models"]["model_2"]["optimizer"] == expected.models["model_2"].optimizer
        assert overrides.apply([])[1].train.model_dump() == parameters["train"]
    accuracy = {
        name: data["metrics"]["reports/metrics/model_2.json"]["data"]["validation"]["accuracy"]["mean"]
        for name, data in shown.items()
    }
    assert accuracy["rate-1"] > accuracy["rate-2"] > 0
    block = next(text for text in BLOCKS if "--drop" in text)
    documented = queue.run("bash", "-c", f"{block.strip()} --csv")
    header, *rows = (line.split(",") for line in documented.splitlines())
    assert [name for name in header if re.search("test|ood|reports/[a-z]*$", name)] == []
    column = header.index("reports/metrics/model_2.json:validation.accuracy.mean")
    assert {row[0]: float(row[column]) for row in rows if row[0]} == accuracy
    history = "reports/histories/model_2/seed_0.csv"
    plot = ["--targets", history, "-x", "epoch", "-y", "val_accuracy", "--show-vega"]
    points = json.loads(queue.run("dvc", "plots", "diff", "rate-1", "rate-2", *plot))["data"]["values"]
    assert [(each["rev"], each["epoch"]) for each in points] == [
        (name, epoch) for name in ("rate-1", "rate-2") for epoch in "12"
    ]

    assert queue.run("git", "status", "--porcelain") == ""
    assert digests(queue.root, *content) == before
    queue.run("dvc", "exp", "apply", "rate-2")
    assert "learning_rate: 1e-05" in (queue.root / "params.yaml").read_text()
    queue.run("dvc", "exp", "remove", *VALUES)
    assert queue.run("dvc", "exp", "list", "--name-only", "--all-commits") == ""
