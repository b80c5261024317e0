"""One revision of this repository, or the workspace as it is: what git has of it, and what DVC has."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import yaml

from cifar10 import paths
from cifar10.compare.diff import Side
from cifar10.compare.page import code
from cifar10.errors import UserError

LOCK = Path("dvc.lock")
COMPARED = ["params.yaml", "dvc.yaml", "dvc.lock", "cifar10", "stages", "reports"]
COLUMNS = ["actual", "predicted"]


def git(*arguments: str) -> bytes | None:
    """Run git; return what it prints, or None if it fails."""
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def git_line(*arguments: str) -> str:
    """Run git; return the text that it prints, "" if it fails."""
    return (git(*arguments) or b"").decode().strip()


@dataclass
class Revision:
    """A commit, or the workspace.

    Attributes:
        label: as people call it.
        commit: full hash; of the workspace, what it was checked out from.
        uncommitted: whether this is the workspace.
        missing: sentences about what could not be had, so far.
    """

    label: str
    commit: str
    uncommitted: bool = False
    missing: list[str] = field(default_factory=list)

    def read(self, path: Path) -> bytes | None:
        """Read a file that git keeps; None if there is none."""
        if self.uncommitted:
            return path.read_bytes() if path.is_file() else None
        return git("cat-file", "blob", f"{self.commit}:{path.as_posix()}")

    def figures(self) -> dict[str, bytes]:
        """Read the figures, PNG by name."""
        if self.uncommitted:
            names = [path.name for path in paths.FIGURES.glob("*.png")]
        else:
            listed = git_line("ls-tree", "--name-only", self.commit, f"{paths.FIGURES.as_posix()}/")
            names = [PurePosixPath(name).name for name in listed.splitlines() if name.endswith(".png")]
        found = {name: self.read(paths.FIGURES / name) for name in sorted(names)}
        return {name: content for name, content in found.items() if content is not None}

    def side(self) -> Side:
        """Gather all but the predictions.

        Raises:
            UserError: params.yaml is missing or damaged.
        """
        params = self._parsed(paths.PARAMS, yaml.safe_load)
        if not isinstance(params, dict) or not isinstance(params.get("models"), dict):
            raise UserError(f"{self.label}: expected {paths.PARAMS} with an entry `models`, found none")
        lock = self._parsed(LOCK, yaml.safe_load) or {}
        metrics = {name: self._parsed(paths.metrics(name), json.loads) for name in params["models"]}
        novelty = {name: self._parsed(paths.ood_metrics(name), json.loads) for name in params["models"]}
        return Side(
            label=self.label,
            commit=self.commit,
            uncommitted=self.uncommitted,
            params=params,
            lock=lock.get("stages") or {},
            metrics={name: content for name, content in metrics.items() if content and "test" in content},
            ood={name: content for name, content in novelty.items() if content},
            figures=self.figures(),
        )

    def _parsed(self, path: Path, parse: Callable[[bytes], Any]) -> Any:
        content = self.read(path)
        try:
            return None if content is None else parse(content)
        except (ValueError, yaml.YAMLError):
            self.missing.append(f"{code(path)} of {code(self.label)} is damaged and left out.")
            return None

    def predictions(self, name: str) -> pd.DataFrame | None:
        """Fetch a model's predictions from the workspace, the cache or the remote; None if none has them."""
        import dvc.api  # a second, needed only if a model was trained again

        path = paths.predictions(name).as_posix()
        print(f"fetching {path} of {self.label}", file=sys.stderr)
        try:
            text = dvc.api.read(path, rev=None if self.uncommitted else self.commit)
            return pd.read_csv(io.StringIO(text), usecols=COLUMNS, dtype=str, keep_default_na=False)
        except Exception as error:  # each kind of remote has errors of its own
            print(f"  {type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
            self.missing.append(
                f"{code(path)} of {code(self.label)} could not be had from the DVC cache or remote: "
                "run `dvc push` where it was made."
            )
            return None


def named(name: str) -> Revision:
    """Find a revision by the name of a branch, here or on origin, of a tag, or by hash.

    Raises:
        UserError: there is none, or this is no clone.
    """
    if git("rev-parse", "--git-dir") is None:
        raise UserError(f"{Path.cwd()} is not a git repository: run this in a clone")
    for candidate in (name, f"origin/{name}"):
        commit = git_line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        if name and re.fullmatch("[0-9a-f]{40,}", commit):
            return Revision(candidate, commit)
    kinds = ["refs/heads", "refs/remotes", "refs/tags"]
    known = git_line("for-each-ref", "--format=%(refname:short)", *kinds).splitlines()
    raise UserError(
        f"BASE: got {name!r}, expected a commit or one of {', '.join(known)}; `git fetch` brings new ones"
    )


def here() -> Revision:
    """Give what is checked out: the commit, or the workspace if there is anything that is not committed."""
    commit = git_line("rev-parse", "HEAD")
    label = git_line("symbolic-ref", "--short", "--quiet", "HEAD") or commit[:10]
    if git_line("status", "--porcelain", "--", *COMPARED):
        return Revision(f"workspace of {label}", commit, uncommitted=True)
    return Revision(label, commit)


def lacking(base: Revision) -> int:
    """Count the commits of `base` that are not part of what is checked out."""
    return int(git_line("rev-list", "--count", f"HEAD..{base.commit}") or 0)
