"""The demo in every layout: a repository, a folder of another one, a worktree, an unpacked archive."""

import os
import subprocess
from pathlib import Path

import pytest

from cifar10 import git, staleness
from cifar10.compare import git_revision
from cifar10.errors import UserError
from scripts import demo
from tests.conftest import ENVIRONMENT

ROOT = Path.cwd()
PIPELINE = [":!benchmarks", ":!docs", ":!tests"]  # what git and DVC compare, without the rest of the project
SOME = [".gitignore", "CITATION.cff", "README.md", "docs", "dvc.lock", "params.yaml", "stages"]


def run(folder, *command):
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)


def unpack(folder, *paths):
    """Unpack what `git archive` writes: the project without a repository, or only these paths of it."""
    folder.mkdir(parents=True)
    command = ["git", "archive", "HEAD", *paths]
    archive = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x"], cwd=folder, input=archive, check=True)
    return folder


def commit(folder, *paths):
    run(folder, "git", "add", *(paths or ["--all"]))
    run(folder, "git", "commit", "--quiet", "--no-verify", "--message", "one")


def contents(folder):
    """Return files and links of a folder, without what the demo changes or leaves out."""
    aside = {"dvc.lock", "params.yaml", ".git", ".venv", "demo", "nested"}
    found = [path for top in folder.iterdir() if top.name not in aside for path in (top, *top.rglob("*"))]
    return {
        path.relative_to(folder): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in found
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture(
    params=["repository", "subfolder", "worktree", "archive", "archive in a repository", "no commit"]
)
def project(request, tmp_path, monkeypatch):
    """The working directory: a part of the project, which takes less time, in one of the layouts."""
    root = unpack(tmp_path / "outer" / "project", *SOME)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    if request.param in ("subfolder", "archive in a repository"):
        run(root.parent, "git", "init", "--quiet")
        if request.param == "subfolder":
            commit(root.parent)
        else:
            (root.parent / ".gitignore").write_text("project\n")
            commit(root.parent, ".gitignore")
    elif request.param != "archive":
        run(root, "git", "init", "--quiet")
        if request.param != "no commit":
            commit(root)
    if request.param == "worktree":
        run(root, "git", "worktree", "add", "--quiet", "../other")
        root = root.parent / "other"
    monkeypatch.chdir(root)
    return root


def test_the_demo_has_the_files_of_the_working_tree(project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").touch()
    Path("link to a folder").symlink_to(tmp_path / "elsewhere")
    Path("link inside").symlink_to("docs")
    Path("link out").symlink_to("../README of another project")
    Path(".venv").symlink_to(tmp_path / "elsewhere")
    Path("new file").write_text("new")
    Path("README.md").write_text("edited")
    Path("CITATION.cff").unlink()
    with open(os.fsencode("not \xff UTF-8").replace(b"\xc3\xbf", b"\xff"), "w"):  # noqa: PTH123
        pass
    run(project, "git", "init", "--quiet", "nested")
    Path("nested/file").touch()
    commit(project / "nested")
    demo.clone(Path("demo"))
    found, expected = contents(Path("demo")), contents(project)
    assert [name for name, content in found.items() if content != expected.get(name)] == [Path("link out")]
    assert found.keys() == expected.keys()
    assert Path("demo/link to a folder/file").exists()
    assert Path("demo/link inside").readlink() == Path("docs")
    assert Path("demo/link out").readlink() == project.parent / "README of another project"
    assert "source: digits" in Path("demo/params.yaml").read_text()
    assert not Path("demo/dvc.lock").exists()
    assert not Path("demo/nested/file").exists()
    assert git.read("rev-parse", "--verify", "--quiet", "HEAD", folder=Path("demo"))


def test_a_folder_in_place_of_a_link_is_not_written_through_it(tmp_path, monkeypatch):
    root = unpack(tmp_path / "project", *SOME)
    monkeypatch.chdir(root)
    (tmp_path / "elsewhere").mkdir()
    Path("linked").symlink_to(tmp_path / "elsewhere")
    run(root, "git", "init", "--quiet")
    run(root, "git", "init", "--quiet", "module")
    Path("module/file").touch()
    commit(root / "module")
    commit(root)  # the link, and the module as git keeps it
    Path("linked").unlink()
    Path("linked").mkdir()
    Path("linked/file").touch()
    Path("module/file").write_text("edited")
    commit(root / "module")
    subprocess.run(["rm", "-r", "docs"], check=True)
    Path("docs").symlink_to(tmp_path / "elsewhere")
    demo.clone(Path("demo"))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert Path("demo/linked/file").exists()
    assert Path("demo/docs").is_symlink()
    assert list(Path("demo/module").iterdir()) == []


def test_in_a_subfolder_of_a_repository_names_and_revisions_are_of_the_project(tmp_path, monkeypatch):
    root = unpack(tmp_path / "outer/deep/project", *PIPELINE)
    run(tmp_path / "outer", "git", "init", "--quiet")
    commit(tmp_path / "outer")
    monkeypatch.chdir(root)
    assert git.prefix() == "deep/project/"
    assert git_revision.here().uncommitted is False
    Path("params.yaml").write_text(Path("params.yaml").read_text() + "# edited\n")
    (tmp_path / "outer/aside").touch()
    assert git.uncommitted(".") == ["params.yaml"]
    assert git_revision.here().uncommitted is True
    with git_revision.named("HEAD").opened() as content:
        side = content.side()
    monkeypatch.chdir(ROOT)
    with git_revision.named("HEAD").opened() as content:
        expected = content.side()
    assert (side.params, side.hashes, side.metrics) == (expected.params, expected.hashes, expected.metrics)
    assert (side.figures, side.recipes, side.stale) == (expected.figures, expected.recipes, expected.stale)


def test_without_a_repository_the_message_has_the_commands_that_make_one(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("LANGUAGE", "de")
    root = unpack(tmp_path / "project", *PIPELINE)
    monkeypatch.chdir(root)
    for call in (git.check, git_revision.here, lambda: staleness.stale("train")):
        with pytest.raises(
            UserError, match=r"run `git init && git add -A && git commit -m '.*'`, then the same"
        ):
            call()
    run(root, "git", "init", "--quiet")
    commit(root)
    assert git_revision.here().uncommitted is False
    with staleness.repository(git.head()) as repo:
        assert len(list(repo.index.stages)) > 10
