"""What `dvc repro` would run again, and why: the one place where this is worked out.

DVC compares dvc.lock with the files. This asks DVC's own entries, in this process, and gives what `dvc status
--json` prints (tests/test_staleness.py compares the two). The command itself fails while a training holds its
locks, and cannot be asked about a commit.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar10.errors import UserError

if TYPE_CHECKING:
    from dvc.repo import Repo

LOCK = "dvc.lock"  # per stage: hashes of its inputs and outputs when it ran
Changes = dict[str, str]  # what differs, and how: "modified", "deleted", "new" or "not in cache"


@contextlib.contextmanager
def repository(commit: str | None = None, folder: Path | None = None) -> Iterator["Repo"]:
    """Open a DVC repository, as it is in the working tree or in a commit.

    Args:
        commit: hash, branch or tag; None for the working tree.
        folder: root of the repository; None for the one around the current folder.

    Raises:
        UserError: there is none, or what the block asks DVC for fails.
    """
    with translated():
        from dvc.repo import Repo  # here: importing DVC takes half a second

        with Repo(folder and str(folder), rev=commit) as repo:
            yield repo


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn DVC's errors into a UserError of one line."""
    from dvc.exceptions import DvcException

    try:
        yield
    except DvcException as error:
        raise UserError(" ".join(str(error).split())) from None


def changes(repo: "Repo", *targets: str) -> dict[str, Changes]:
    """Compare stages with what dvc.lock records of them.

    Args:
        repo: from `repository`. In a commit, what DVC keeps outside git is "deleted".
        targets: stages, or groups of them such as `train`; without any, all stages.

    Returns:
        By stage, in the order of dvc.yaml, the files and parameters that differ. A stage that is up to date
        is left out. A stage of which dvc.lock has no record has the one entry `LOCK`.
    """
    found = {
        stage.name: _of_stage(stage)
        for stage in repo.index.stages
        if not targets or stage.name in targets or stage.name.partition("@")[0] in targets
    }
    return {name: differences for name, differences in found.items() if differences}


def stale(*targets: str) -> list[str]:
    """List the stages of the working tree that `dvc repro` would run.

    Raises:
        UserError: this is no DVC repository, or dvc.yaml, dvc.lock or params.yaml is damaged.
    """
    with repository() as repo:
        return list(changes(repo, *targets))


def recorded(repo: "Repo", inputs: bool = True) -> dict[str, dict[str, str]]:
    """Read MD5 hashes from dvc.lock, by stage and path: of outputs and, unless told otherwise, of inputs."""
    return {
        stage.name: {
            entry.def_path: entry.hash_info.value
            for entry in (*(stage.deps if inputs else ()), *stage.outs)
            if entry.hash_info and entry.hash_info.name == "md5"
        }
        for stage in repo.index.stages
    }


def _of_stage(stage: Any) -> Changes:
    if not any(entry.hash_info for entry in stage.deps):
        return {LOCK: "new"}
    found: Changes = {"its command": "modified"} if stage.changed_stage() else {}
    for entry in (*stage.deps, *stage.outs):
        for path, state in (entry.workspace_status() or entry.status()).items():
            if isinstance(state, Mapping):
                found |= {f"{key} in {path}": of_key for key, of_key in state.items()}
            else:
                found[path] = state
    return found
