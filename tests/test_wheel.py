"""The wheel, installed without the checkout, classifies with the models of a folder or of a web server."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests import hosts, webapp
from tests.conftest import ENVIRONMENT, WARM, Clone
from tests.predict.test_cli import ASTRONAUT, COMMAND

PIP = [sys.executable, "-m", "pip", "-q", "--no-cache-dir", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def site(module_path):
    """A folder with nothing but the wheel of this working tree, installed."""
    source, installed = module_path / "source", module_path / "site"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(name, source)
    shutil.copytree("cifar10", source / "cifar10", ignore=shutil.ignore_patterns("__pycache__"))
    alone = ["--no-index", "--no-deps", "--no-build-isolation", "--no-compile"]
    subprocess.run([*PIP, "install", *alone, "--target", installed, source], check=True)  # builds a wheel
    return installed


@pytest.fixture(scope="module")
def expected(finished):
    """The answers for a picture in the checkout."""
    return json.loads(finished.run(*COMMAND, ASTRONAUT, "--json"))


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def run(site, folder, program, *arguments, python=sys.executable, **environment):
    return subprocess.run(
        [python, site / "bin" / program, *arguments],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONPATH": str(site)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_classifies_with_the_models_of_a_checkout(site, finished, expected, empty):
    models = str(finished.root / "models")
    warm = {"python": "python", **WARM}  # the next test starts both programs cold
    done = run(site, empty, "cifar10-classify", ASTRONAUT, "--json", "--models", models, **warm)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == expected
    assert list(empty.iterdir()) == []


def test_without_models_it_is_one_line(site, empty):
    done = run(site, empty, "cifar10-classify", ASTRONAUT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: params.yaml not found in {empty}: run this from")
    assert "--models" in done.stderr
    done = run(site, empty, "cifar10-page", "--models", "nowhere")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "expected a folder or an http(s) URL, found nothing there" in done.stderr


def test_the_page_serves_models_of_a_web_server(site, finished, expected, empty, tmp_path):
    """All files of the page are in the wheel; the provenance is that of the models, not of this folder."""
    finished.run("python", "scripts/publish.py", str(tmp_path / "public"))
    (tmp_path / "app").mkdir()
    start = (str(site / "bin/cifar10-page"),)
    own = {"PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with hosts.folder(tmp_path / "public") as port:
        options = ("--models", f"http://127.0.0.1:{port}")
        with webapp.running(Clone(empty), tmp_path / "app", *options, start=start, **own) as app:
            page = requests.get(app.url, timeout=30)
            assert (page.status_code, "astronaut" in page.text) == (200, True)
            for name in ("page.js", "page.css"):
                assert requests.get(f"{app.url}static/{name}", timeout=30).status_code == 200
            found = app.classify((ASTRONAUT, Path(ASTRONAUT).read_bytes())).json()
            about = requests.get(f"{app.url}api/models", timeout=30).json()
    assert found["images"][0]["answers"] == expected["images"][0]["answers"]
    head = finished.run("git", "rev-parse", "--short", "HEAD").strip()
    assert about["data"] == "scikit-learn's handwritten digits"
    assert (about["revision"], about["changed"]) == (f"git revision {head}", [])
    assert list(empty.iterdir()) == []


def test_the_code_that_runs_is_that_of_the_wheel(site, empty):
    code = "import cifar10, cifar10.app.__main__ as page; print(cifar10.__file__, page.__file__, sep='\\n')"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=empty,
        env=ENVIRONMENT | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert all(Path(line).is_relative_to(site) for line in printed.split(os.linesep) if line)
    assert printed.count("\n") == 2
