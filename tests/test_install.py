"""`make install` mends a broken .venv. It installs no package here: `PIP=true`."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def make(tmp_path):
    shutil.copy("Makefile", tmp_path)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()

    def run(*options):
        command = ["make", "install", f"PYTHON={sys._base_executable}", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_an_environment_without_pip_gets_it_and_is_not_turned_from_cpus_to_gpus(make, tmp_path):
    python = tmp_path / "python"  # to create an environment with pip takes 3 s of a core
    python.write_text(f'#!/bin/sh\nexec {sys._base_executable} "$@" --without-pip\n')
    python.chmod(0o755)
    make("PIP=true", f"PYTHON={python}")
    assert not [*tmp_path.glob(".venv/lib/*/site-packages/pip")]
    make("PIP=true")
    subprocess.run([tmp_path / ".venv/bin/python", "-c", "import pip"], check=True)
    assert "Nothing to be done" in make("PIP=true")

    command = ["make", "install", "GPU=1", "PIP=true"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "make clean" in refused.stderr
    (tmp_path / ".venv/run.done").unlink()  # nothing is installed
    for name in ("requirements-gpu.txt", "requirements-dev.txt"):
        (tmp_path / name).touch()
    assert "-r requirements-gpu.txt" in make("GPU=1", "PIP=true", "--dry-run")
    make("GPU=1", "PIP=true")
    assert "Nothing to be done" in make("PIP=true")  # the same environment, also without GPU=1
    tests = subprocess.run(
        ["make", "test", "PIP=true"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "need TensorFlow for CPUs" in tests.stderr


@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize("broken", ["link", "file", "empty", "no .venv", "link to nothing"])
def test_an_environment_without_python_is_made_anew(make, tmp_path, broken, installed):
    programs = tmp_path / ".venv/bin"
    if broken == "link to nothing":
        (tmp_path / ".venv").symlink_to(tmp_path / "nowhere")
    elif broken != "no .venv":
        programs.mkdir(parents=True)
        if installed:
            (tmp_path / ".venv/run.done").touch()
        if broken == "link":
            (programs / "python").symlink_to(tmp_path / "a python that is gone")
        elif broken == "file":
            Path(programs / "python").write_text("")
    planned = make("--dry-run")
    assert f"{sys._base_executable} -m venv --clear .venv" in planned
    assert "touch .venv/run.done" in planned


def pinned(path):
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", Path(path).read_text(), re.MULTILINE))


def test_the_lock_for_gpus_differs_in_the_build_of_tensorflow_alone():
    plain, gpu = pinned("requirements-app.txt"), pinned("requirements-gpu.txt")
    assert "tensorflow-cpu" not in gpu
    assert {name: gpu.get(name) for name in plain.keys() - {"tensorflow-cpu"}} == {
        name: version for name, version in plain.items() if name != "tensorflow-cpu"
    }
    assert gpu["tensorflow"] == plain["tensorflow-cpu"]
    assert any(name.startswith("nvidia-cudnn") for name in gpu)
    assert "index-url" not in Path("requirements-gpu.txt").read_text()
