"""`make install` mends a broken .venv. It installs no package here: `PIP=true`."""

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


def test_an_environment_without_pip_gets_it(make, tmp_path):
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    make("PIP=true")
    subprocess.run([tmp_path / ".venv/bin/python", "-c", "import pip"], check=True)
    assert "Nothing to be done" in make("PIP=true")


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
