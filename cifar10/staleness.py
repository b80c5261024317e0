"""Find the stages that `dvc repro` would run, and the reasons.

DVC compares dvc.lock with the files. This module calls DVC in this process and returns the same facts as
`dvc status --json`; tests/test_staleness.py compares them. The command itself is not used, because it fails
while a training holds DVC's locks and cannot check a commit.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar10 import git
from cifar10.errors import UserError

if TYPE_CHECKING:
    from dvc.repo import Repo

LOCK = "dvc.lock"  # per stage: hashes of its inputs and outputs when it ran
Changes = dict[str, str]  # file or parameter: "modified", "deleted", "new" or "not in cache"
Known = dict[tuple[str, str | None], Mapping[str, Any]]  # by path and recorded hash: DVC's comparison


@contextlib.contextmanager
def repository(commit: str | None = None, folder: Path | None = None) -> Iterator["Repo"]:
    """Open a DVC repository, in the state of the working tree or of a commit.

    Args:
        commit: hash, branch or tag; None for the working tree.
        folder: root of the repository; None for the one around the current folder.

    Raises:
        UserError: there is no repository, or a call of DVC in the `with` block fails.
    """
    with translated():
        from dvc.fs import GitFileSystem  # imported here, because the import takes half a second
        from dvc.repo import Repo
        from dvc.scm import SCM

        git.check(folder)
        in_commit: dict[str, Any] = {"root_dir": folder and str(folder)}
        if commit:  # `Repo(rev=commit)` does not find a repository in a subfolder of git's
            scm = SCM(str(folder or Path.cwd()))
            root = f"/{git.prefix(folder)}".rstrip("/") or "/"
            in_commit = {"root_dir": root, "fs": GitFileSystem(scm=scm, rev=commit), "scm": scm}
        with Repo(**in_commit) as repo:
            yield repo


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Convert DVC's errors to UserErrors with a message of one line."""
    from dvc.exceptions import DvcException

    try:
        yield
    except DvcException as error:
        raise UserError(" ".join(str(error).split())) from None


def changes(repo: "Repo", *targets: str) -> dict[str, Changes]:
    """Compare stages with their records in dvc.lock.

    Args:
        repo: from `repository`. In a commit, files that DVC stores outside git count as "deleted".
        targets: stages, or groups of stages such as `train`; if empty, all stages.

    Returns:
        By stage, in the order of dvc.yaml, the files and parameters that differ. Up-to-date stages are left
        out. A stage without a record in dvc.lock has the single entry `LOCK`.
    """
    known: Known = {}
    found = {
        stage.name: _of_stage(stage, known)
        for stage in repo.index.stages
        if not targets or stage.name in targets or stage.name.partition("@")[0] in targets
    }
    return {name: differences for name, differences in found.items() if differences}


def stale(*targets: str) -> list[str]:
    """List the stages of the working tree that `dvc repro` would run.

    Raises:
        UserError: there is no DVC repository, or dvc.yaml, dvc.lock or params.yaml is damaged.
    """
    with repository() as repo:
        return list(changes(repo, *targets))


def recorded(repo: "Repo", inputs: bool = True) -> dict[str, dict[str, str]]:
    """Read the MD5 hashes of outputs and, with `inputs`, of inputs from dvc.lock, by stage and path."""
    return {
        stage.name: {
            entry.def_path: entry.hash_info.value
            for entry in (*(stage.deps if inputs else ()), *stage.outs)
            if entry.hash_info and entry.hash_info.name == "md5"
        }
        for stage in repo.index.stages
    }


def _of_stage(stage: Any, known: Known) -> Changes:
    if not any(entry.hash_info for entry in stage.deps):
        return {LOCK: "new"}
    found: Changes = {"its command": "modified"} if stage.changed_stage() else {}
    for entry in (*stage.deps, *stage.outs):
        for path, state in _of_entry(entry, known).items():
            if isinstance(state, Mapping):
                found |= {f"{key} in {path}": of_key for key, of_key in state.items()}
            else:
                found[path] = state
    return found


def _of_entry(entry: Any, known: Known) -> Mapping[str, Any]:
    """Compare an input or output with its record.

    Several stages have the same input, often a folder. It is read once for all that recorded the same hash.
    """
    if not entry.IS_DEPENDENCY:
        return dict(entry.workspace_status() or entry.status())
    if hasattr(entry, "params"):  # no file: a stage has its own parameters
        return dict(entry.workspace_status())
    key = entry.def_path, entry.hash_info.value
    if key not in known:
        known[key] = entry.workspace_status()
    return known[key]
