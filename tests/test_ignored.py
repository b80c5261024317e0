"""What DVC and git ignore: nothing below a folder of pictures, whatever the name of a class."""

import subprocess

import pytest
from pathspec import GitIgnoreSpec

from tests.conftest import ENVIRONMENT
from tests.scratch import ROOT

NAMES = [
    *("demo", "node_modules", "build", "dist", "data", "models", "reports", "comparison", "partial", "raw"),
    *("processed", "pictures", "checkpoints", "__pycache__", "x.egg-info", "x.tmp", "venv", "cifar10"),
    *("tests", "dvc_plots", "search.db", "core", "*.tmp", "!x", "#x", "x "),
]
FOLDERS = ["photos", "data/photos", "data/own/pictures"]
PICTURES = [
    f"{folder}/{split}/{name}/1.png" for folder in FOLDERS for split in ("train", "test") for name in NAMES
]
NOT_WALKED = [
    *(".venv/lib/x.py", "demo/dvc.yaml", "tests/actionlint/node_modules/x/y.js", "data/partial/x.part"),
    *("cifar10/__pycache__/x.pyc", "cifar10/data/__pycache__/x.pyc", "stages/__pycache__/x.pyc"),
    *("cifar10/data/decoding/__pycache__/x.pyc", "tests/data/__pycache__/x.pyc", ".mypy_cache/x"),
]


def by_git(paths):
    """Return the paths that git ignores by the .gitignore of this repository."""
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=ROOT,
        env=ENVIRONMENT,
        input="\0".join(paths),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.split("\0")[:-1]


def by_dvc(paths):
    """Return the paths that DVC ignores by the .dvcignore of this repository; DVC uses the same library."""
    spec = GitIgnoreSpec.from_lines((ROOT / ".dvcignore").read_text().splitlines())
    return [path for path in paths if spec.match_file(path)]


@pytest.mark.parametrize("ignored", [by_git, by_dvc])
def test_no_class_is_ignored_and_what_is_made_here_is(ignored):
    assert ignored(PICTURES) == []
    assert ignored(NOT_WALKED) == NOT_WALKED
