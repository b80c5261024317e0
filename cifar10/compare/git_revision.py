"""Read a commit of this repository, or the workspace, from git and DVC."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cifar10 import git, paths, staleness
from cifar10.compare.page import code
from cifar10.compare.side import Side
from cifar10.errors import UserError

if TYPE_CHECKING:
    from dvc.repo import Repo

COMPARED = ["params.yaml", "dvc.yaml", staleness.LOCK, "cifar10", "stages", "reports"]
COLUMNS = ["actual", "predicted"]


@dataclass
class Revision:
    """A commit, or the workspace.

    Attributes:
        label: name on the page: a branch, a tag, a short hash.
        commit: full hash; for the workspace, the hash of the commit that is checked out.
        uncommitted: whether this is the workspace.
        missing: sentences about missing or damaged data, added while the revision is read.
    """

    label: str
    commit: str
    uncommitted: bool = False
    missing: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def opened(self) -> Iterator["Content"]:
        """Open the revision for reading.

        Raises:
            UserError: the revision is not a DVC repository.
        """
        with contextlib.ExitStack() as stack:
            with self.labelled_errors():
                repository = staleness.repository(None if self.uncommitted else self.commit)
                repo = stack.enter_context(repository)
            yield Content(self, repo)

    @contextlib.contextmanager
    def labelled_errors(self) -> Iterator[None]:
        """Convert DVC's errors to UserErrors, and put the label in front of every UserError."""
        try:
            with staleness.translated():
                yield
        except UserError as error:
            raise UserError(f"{self.label}: {error}") from None


@dataclass
class Content:
    """The files of a revision, read from one open repository.

    `dvc.api.metrics_show` is not used: it opens a repository in every call, and it merges the metrics of
    several files, so each file would need a call.
    """

    revision: Revision
    repo: "Repo"

    def side(self) -> Side:
        """Read everything except the predictions.

        Raises:
            UserError: dvc.yaml, dvc.lock or params.yaml is missing or damaged.
        """
        with self.revision.labelled_errors():
            return self._side()

    def _side(self) -> Side:
        params = self._read(self.repo.params.show(targets=[str(paths.PARAMS)], on_error="return"))
        chosen = params.get(str(paths.PARAMS), {})
        if not isinstance(chosen.get("models"), dict):
            raise UserError(f"expected {paths.PARAMS} with an entry `models`, found none")
        names = list(chosen["models"])
        metrics = self._read(self.repo.metrics.show(on_error="return"))
        measured = {name: metrics.get(paths.metrics(name).as_posix(), {}) for name in names}
        ood = {name: metrics.get(paths.ood_metrics(name).as_posix(), {}) for name in names}
        return Side(
            label=self.revision.label,
            commit=self.revision.commit,
            uncommitted=self.revision.uncommitted,
            params=chosen,
            stale=self._stale(names),
            hashes=staleness.recorded(self.repo),
            metrics={name: content for name, content in measured.items() if "test" in content},
            ood={name: content for name, content in ood.items() if content},
            figures=self._figures(),
        )

    def predictions(self, name: str) -> pd.DataFrame | None:
        """Fetch a model's predictions from the workspace, the cache or the remote; None if unavailable."""
        path, label = paths.predictions(name).as_posix(), self.revision.label
        print(f"fetching {path} of {label}", file=sys.stderr)
        try:
            text = self.repo.dvcfs.read_text(path, encoding="utf-8")
            return pd.read_csv(io.StringIO(text), usecols=COLUMNS, dtype=str, keep_default_na=False)
        except Exception as error:  # each kind of remote raises its own errors
            print(f"  {type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
            self.revision.missing.append(
                f"{code(path)} of {code(label)} is in neither the DVC cache nor the remote: run "
                "`dvc push` where it was made."
            )
            return None

    def _figures(self) -> dict[str, bytes]:
        """Read the figures: PNG content by file name."""
        folder = paths.FIGURES.as_posix()
        found = (
            sorted(Path(path) for path in self.repo.dvcfs.find(folder))
            if self.repo.dvcfs.exists(folder)
            else []
        )
        return {
            path.name: self.repo.dvcfs.read_bytes(path.as_posix()) for path in found if path.suffix == ".png"
        }

    def _stale(self, names: list[str]) -> list[str]:
        """List the models whose code, parameters or results differ from dvc.lock.

        Missing files do not count, because a commit has none of the files that DVC stores.
        """
        stages = [f"{stage}@{name}" for name in names for stage in ("train", "evaluate")]
        found = staleness.changes(self.repo, *stages)
        differing = {
            stage.partition("@")[2]
            for stage, changes in found.items()
            if any(state not in ("deleted", "not in cache") for state in changes.values())
        }
        return [name for name in names if name in differing]

    def _read(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of each file in an answer of DVC; add damaged files to `missing`."""
        (found,) = shown.values()
        if "error" in found:
            raise found["error"]
        for path, entry in found["data"].items():
            if "error" in entry and not isinstance(entry["error"], FileNotFoundError):
                label = code(self.revision.label)
                self.revision.missing.append(f"{code(path)} of {label} is damaged and left out.")
        return {path: entry["data"] for path, entry in found["data"].items() if "data" in entry}


def named(name: str) -> Revision:
    """Find a commit by branch (here or on origin), tag or hash.

    Raises:
        UserError: there is no such commit, or the working directory is not in a git repository.
    """
    if not git.line("rev-parse", "--git-dir"):
        raise UserError(f"{Path.cwd()} is not a git repository: run this in a clone")
    for candidate in (name, f"origin/{name}"):
        commit = git.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        if name and re.fullmatch("[0-9a-f]{40,}", commit):
            return Revision(candidate, commit)
    kinds = ["refs/heads", "refs/remotes", "refs/tags"]
    known = git.line("for-each-ref", "--format=%(refname:short)", *kinds).splitlines()
    raise UserError(
        f"BASE: got {name!r}, expected a commit or one of {', '.join(known)}; `git fetch` brings new ones"
    )


def here() -> Revision:
    """Return the commit that is checked out, or the workspace if it has uncommitted changes."""
    commit = git.head()
    label = git.line("symbolic-ref", "--short", "--quiet", "HEAD") or commit[:10]
    if git.uncommitted(*COMPARED):
        return Revision(f"workspace of {label}", commit, uncommitted=True)
    return Revision(label, commit)


def lacking(base: Revision) -> int:
    """Count the commits of `base` that the current commit does not contain."""
    return int(git.line("rev-list", "--count", f"HEAD..{base.commit}") or 0)
