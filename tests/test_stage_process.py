"""A stage runs alone, on inputs that stay the same, and not longer than the DVC that started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cifar10 import stage_inputs
from tests.conftest import ENVIRONMENT, heed_ctrl_c

SCRIPT = """
import sys, time
from pathlib import Path
from cifar10 import files, stage_process
def main():
    print("ready", flush=True)
    try:
        while not Path("go").exists():
            time.sleep(0.02)
    finally:
        Path("kept").touch()
    files.write_text(Path("out-n" if "n" in sys.argv else "out"), "done")
stage_process.run(main, before=lambda: Path("folder/left").unlink(missing_ok=True))
"""
GRAPH = """
stages:
  train:
    matrix: {model: "${models}", seed: "${train.seeds}"}
    deps: [code, "${data.folder}", "in/${item.model}-${item.seed}"]
    params: ["models.${item.model}", train.epochs, {versions.yaml: null}, {other.yaml: [a.b]}]
  report:
    deps: [folder]
"""
PARAMS = """
data: {folder: pictures}
train: {seeds: [0], epochs: 3}
models: {m: {layers: [1, 2]}, n: 4}
"""
# a shell that waits for the stage, as `dvc` starts it where the shell does not replace itself
DVC = "import subprocess, sys; subprocess.run(['/bin/sh', '-c', sys.argv[1] + '; true'])"


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A folder with a graph; `stage(...)` starts a stage there and waits for its first line."""
    monkeypatch.chdir(tmp_path)
    contents = {
        "dvc.yaml": GRAPH,
        "params.yaml": PARAMS,
        "versions.yaml": "v: 1\n",
        "other.yaml": "a: {b: 1, c: 2}\n",
    }
    contents |= {
        "code/a.py": "a",
        "code/sub/b.py": "b",
        "pictures/p.png": "p",
        "in/m-0": "i",
        "folder/f": "f",
    }
    contents |= {"train.py": SCRIPT, "report.py": SCRIPT}
    for name, text in contents.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    processes = []

    def start(name="train.py", *arguments, command=(), **environment):
        process = subprocess.Popen(
            [*(command or (sys.executable, name, *arguments))],
            env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_ctrl_c,
            start_new_session=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


ROOT = Path.cwd()


@pytest.mark.parametrize(
    ("path", "content", "named"),
    [
        ("code/sub/b.py", "B", "code/sub/b.py"),
        ("code/new.py", "", "code/new.py"),
        ("pictures/p.png", None, "pictures/p.png"),
        ("in/m-0", "I", "in/m-0"),
        ("versions.yaml", "v: 2", "versions.yaml"),
        ("other.yaml", "a: {b: 2, c: 2}", "a.b in other.yaml"),
        ("params.yaml", PARAMS.replace("epochs: 3", "epochs: 4"), "train.epochs in params.yaml"),
        ("params.yaml", PARAMS.replace("[1, 2]", "[1, 3]"), "models.m in params.yaml"),
        ("params.yaml", "half: [", "models.m in params.yaml"),
    ],
)
def test_an_input_that_changes_while_a_stage_runs_is_named(stage, path, content, named):
    before = stage_inputs.read("train", ["m", "0"])
    if content is None:
        Path(path).unlink()
    else:
        Path(path).write_text(content)
    assert named in stage_inputs.changed(before, stage_inputs.read("train", ["m", "0"]))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("code/__pycache__/a.pyc", "compiled"),
        ("in/n-0", "of another stage"),
        ("params.yaml", PARAMS.replace("n: 4", "n: 5") + "# a comment\n"),
        ("other.yaml", "a: {c: 3, b: 1}"),
        ("code/a.py", "a"),  # saved again
        ("README", "text"),
    ],
)
def test_what_is_no_input_can_change(stage, path, content):
    before = stage_inputs.read("train", ["m", "0"])
    assert len(before) == 8
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(content)
    assert stage_inputs.changed(before, stage_inputs.read("train", ["m", "0"])) == []


def test_without_a_graph_or_a_stage_there_are_no_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert stage_inputs.read("train", ["m", "0"]) == {}
    Path("dvc.yaml").write_text(GRAPH)
    assert stage_inputs.read("evaluate", ["m", "0"]) == {}


def test_the_inputs_of_the_real_stages_are_all_found(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = stage_inputs.read("train", ["model_0", "1"])
    assert {"stages/train.py", "cifar10/training/loop.py", "cifar10/arithmetic.py", "versions.yaml"} <= {
        *found
    }
    assert {"models.model_0 in params.yaml", "train.epochs in params.yaml"} <= {*found}
    assert not any(
        "${" in name for stage in ("preprocess", "evaluate") for name in stage_inputs.read(stage, ["a", "0"])
    )


def test_a_stage_whose_input_changes_fails_and_says_what(stage):
    process = stage("train.py", "m", "0")
    Path("code/a.py").write_text("edited")
    Path("go").touch()
    output = process.communicate()[0]
    assert process.returncode == 1
    assert output == (
        "error: train@m-0: changed while the stage was running: code/a.py; its outputs belong to the earlier "
        "content and are not recorded: run the same command again\n"
    )


def test_a_stage_may_change_inputs_before_it_begins(stage):
    Path("folder/left").touch()
    process = stage("report.py")
    Path("go").touch()
    assert (process.communicate()[0], process.returncode) == ("", 0)


def test_a_second_run_of_a_stage_waits_and_then_names_the_first(stage):
    first = stage("train.py", "m", "0")
    hasty = "from cifar10 import stage_process; stage_process.PATIENCE = 0.3\n"
    Path("hasty").mkdir()
    Path("hasty/train.py").write_text(hasty + SCRIPT)
    environment = ENVIRONMENT | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "hasty/train.py", "m", "0"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 75
    assert second.stderr == (
        f"error: train@m-0: process {first.pid} runs this stage: wait for its end, or end it\n"
    )
    other = stage("train.py", "n", "0")  # another model
    waiting = subprocess.Popen(
        [sys.executable, "train.py", "m", "0"], env=environment, stdout=subprocess.PIPE
    )
    Path("go").touch()
    assert [process.wait(20) for process in (first, other, waiting)] == [0, 0, 0]
    waiting.stdout.close()
    assert list(Path("models/checkpoints").iterdir()) == []


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name
)
def test_a_stage_ends_when_the_dvc_that_started_it_is_gone(stage, number):
    script = f"{sys.executable} train.py m 0"
    dvc = stage(command=[sys.executable, "-c", DVC, script], DVC_STAGE="train@m-0")
    (running,) = [
        child for child in psutil.Process(dvc.pid).children(recursive=True) if "train.py" in child.cmdline()
    ]
    os.kill(dvc.pid, number)
    output = dvc.communicate(timeout=20)[0]  # its end: the stage holds the other end of the pipe
    assert "interrupted by SIGTERM" in output
    assert Path("kept").exists()
    assert not Path("out").exists()
    assert not running.is_running() or running.status() == psutil.STATUS_ZOMBIE


def test_a_stage_whose_dvc_ends_before_it_begins_ends_too(stage):
    """A kill while Python starts: the parent is then the process that adopts orphans."""
    late = f"import time; time.sleep(0.5)\n{SCRIPT}"
    Path("train.py").write_text(f'print("ready", flush=True)\n{late}')
    dvc = stage(command=[sys.executable, "-c", DVC, f"{sys.executable} train.py m 0"], DVC_STAGE="train@m-0")
    shell, running = psutil.Process(dvc.pid).children(recursive=True)
    for process in (psutil.Process(dvc.pid), shell):
        process.kill()
    output = dvc.communicate(timeout=20)[0]
    assert "interrupted by SIGTERM" in output
    assert not Path("out").exists()
    assert not running.is_running() or running.status() == psutil.STATUS_ZOMBIE


def test_a_stage_that_nobody_but_the_user_started_outlives_its_shell(stage):
    script = f"{sys.executable} train.py m 0 & sleep 0.5"
    shell = stage(command=["/bin/sh", "-c", script])
    assert shell.wait() == 0
    time.sleep(1)
    Path("go").touch()
    assert shell.communicate()[0] == ""
    assert Path("out").exists()
