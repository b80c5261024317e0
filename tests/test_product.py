"""Files beside the code: licence, citation, change log, hooks, development container."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts import check_files, demo
from tests.conftest import Clone

PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]


def test_the_licence_is_the_one_of_the_package():
    assert PROJECT["license"] == "MIT"
    assert (
        Path("LICENSE")
        .read_text()
        .startswith("MIT License\n\nCopyright (c) 2026 the authors of cifar10-compared\n")
    )


def test_the_citation_follows_its_schema_and_names_this_software_and_the_data():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.citation-file-format"]
    done = subprocess.run([*check, "CITATION.cff"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    citation = yaml.safe_load(Path("CITATION.cff").read_text())
    assert [citation[key] for key in ("title", "version", "license")] == [
        PROJECT[key] for key in ("name", "version", "license")
    ]
    (data,) = citation["references"]
    assert data["title"] == "Learning Multiple Layers of Features from Tiny Images"
    assert (data["authors"][0]["family-names"], data["year"]) == ("Krizhevsky", 2009)


def test_the_change_log_speaks_of_this_version():
    text = Path("CHANGELOG.md").read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[0] == "[Unreleased]"
    assert PROJECT["version"] in text


def test_the_container_is_set_up_with_a_target_of_the_makefile():
    container = json.loads(Path(".devcontainer/devcontainer.json").read_text())
    program, target = container["postCreateCommand"].split()
    assert program == "make"
    assert re.search(rf"^{target}:", Path("Makefile").read_text(), re.MULTILINE)
    assert f"`{container['postCreateCommand']}`" in Path("README.md").read_text()
    interpreter = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter == "${containerWorkspaceFolder}/.venv/bin/python"


@pytest.fixture(scope="module")
def hooked(tmp_path_factory):
    """A clone with the present working tree committed, and a folder for pre-commit."""
    root = tmp_path_factory.mktemp("hooked")
    clone = Clone(root / "clone")
    demo.clone(clone.root)
    for name in ("params.yaml", "dvc.lock"):
        shutil.copy(name, clone.root / name)
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--allow-empty", "--message", "As it is")
    clone.hooks = {"PRE_COMMIT_HOME": str(root / "pre-commit"), "PRE_COMMIT_COLOR": "never"}
    return clone


def test_every_hook_passes_on_all_files(hooked):
    """The commands of CONTRIBUTING.md; they install the hooks in a clone."""
    hooked.run("pre-commit", "install", **hooked.hooks)
    printed = hooked.run("pre-commit", "run", "--all-files", **hooked.hooks)
    outcomes = re.findall(r"\.(Passed|Skipped|Failed)\b", printed)
    config = yaml.safe_load(Path(".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"] if "stages" not in hook]
    assert outcomes == ["Passed"] * len(hooks), printed
    assert hooked.run("git", "status", "--porcelain") == ""


FAULTS = {
    "ruff": ("cifar10/new.py", '"""A module."""\n\nimport os\n'),
    "ruff-format": ("cifar10/new.py", '"""A module."""\n\nNUMBERS = [1,2]\n'),
    "files": ("more.yaml", "a: [1\n"),
    "dvc-schema": ("dvc.yaml", "stages:\n  download:\n    command: python stages/download.py\n"),
    "params": ("params.yaml", "data: {source: cifar100}\n"),
    "workflows": (".github/workflows/more.yml", "on: push\njobs: {}\n"),
    "keys": ("docs/key.txt", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n"),
    "credentials": (".dvc/config", "['remote \"storage\"']\n    secret_access_key = hush\n"),
}


@pytest.mark.parametrize("hook", FAULTS)
def test_a_hook_stops_its_fault(hooked, hook):
    name, text = FAULTS[hook]
    (hooked.root / name).write_text(text)
    hooked.run("git", "add", name)
    printed = hooked.run("pre-commit", "run", hook, expect=1, **hooked.hooks)
    assert "Failed" in printed
    assert name.removeprefix(".") in printed or hook == "ruff-format"
    hooked.run("git", "reset", "--quiet", "--hard")


def test_a_broken_dvc_lock_is_stopped(hooked):
    lock = hooked.root / "dvc.lock"
    lock.write_text(lock.read_text().replace("schema: '2.0'", "schema: '3.0'"))
    hooked.run("git", "add", "dvc.lock")
    assert "Failed" in hooked.run("pre-commit", "run", "dvc-schema", expect=1, **hooked.hooks)
    hooked.run("git", "reset", "--quiet", "--hard")


def test_every_hook_runs_a_command_of_the_environment():
    (local,) = yaml.safe_load(Path(".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"  # no hook comes from a network
    commands = {hook["entry"].split()[0] for hook in local["hooks"] if hook["language"] == "system"}
    for command in commands:
        assert (Path(sys.executable).parent / command).exists(), command


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b'{"a": 1,}', "cannot be read"),
        ("a.toml", b"a = \n", "cannot be read"),
        ("a.yml", b"a: \xff\n", "cannot be read"),
        ("a.png", bytes(check_files.LARGEST + 1), "1,000,001 bytes, expected at most 1,000,000"),
    ],
)
def test_a_faulty_file_is_named_with_its_fault(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    (fault,) = check_files.check(tmp_path / name)
    assert words in fault
