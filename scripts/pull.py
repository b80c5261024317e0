"""Fetch trained models, or other outputs of the pipeline, from the DVC remote.

Files of the workspace change only after all requested outputs have arrived intact. `dvc pull`, in contrast,
removes older versions before that, and does not accept a folder that only contains outputs.
"""

import argparse
import sys
from pathlib import Path

from dvc.cli import main as dvc
from dvc.exceptions import OutputNotFoundError
from dvc.repo import Repo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, git

LOCK = "dvc.lock"


def main() -> None:
    """Fetch into the cache, check that nothing is missing, then update the workspace."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("target", nargs="*", default=["models"], help="file or folder (default: models)")
    parser.add_argument("-r", "--remote", help="DVC remote (default: DVC's default remote)")
    arguments = parser.parse_args()
    targets = [output for target in arguments.target for output in outputs(target)]
    end_on_failure(dvc(["fetch", *targets, *(["--remote", arguments.remote] if arguments.remote else [])]))
    if absent := missing(targets):
        lines = "".join(f"\n  {path}: {recorded(content)}" for path, content in sorted(absent.items()))
        sys.exit(
            "error: missing or corrupt on the DVC remote, or no answer from it; no file was changed here:"
            f"{lines}\nWho recorded a file may still have it: run `dvc push` in that clone. Nobody has it: "
            "`make repro` makes it again"
        )
    end_on_failure(dvc(["checkout", *targets]))


def outputs(target: str) -> list[str]:
    """List the DVC outputs in a folder, or a single output; exit on anything else."""
    with Repo() as repo:
        folder = repo.fs.abspath(target)
        if inside := [str(o) for o in repo.index.outs if o.use_cache and o.fs.isin(o.fs_path, folder)]:
            return inside
        try:
            repo.find_outs_by_path(target, strict=False)
        except OutputNotFoundError:
            sys.exit(f"error: {target}: expected an output of dvc.yaml or a folder that contains outputs")
        return [target]


def missing(targets: list[str]) -> dict[str, str]:
    """Return the outputs whose content recorded in dvc.lock is not in the cache, with their hashes."""
    with Repo() as repo:
        status = repo.data_status(targets=targets, granular=True, with_renames=False)
        hashes = {repo.fs.relpath(out.fs_path): out.hash_info.value or "" for out in repo.index.outs}
        return {path: _hash(hashes, path) for path in status["not_in_cache"]}


def _hash(hashes: dict[str, str], path: str) -> str:
    """Return the hash of an output, or of the output that is a folder with this file."""
    above = (each.as_posix() for each in (Path(path), *Path(path).parents))
    return next((hashes[each] for each in above if each in hashes), "")


def recorded(content: str) -> str:
    """Say who committed a hash to dvc.lock first, and when.

    Args:
        content: MD5 of an output, as dvc.lock has it.
    """
    found = git.line("log", "--reverse", "--format=%an, %as, commit %h", f"-S{content}", "--", LOCK)
    return f"recorded by {found.splitlines()[0]}" if content and found else "not committed"


def end_on_failure(code: int) -> None:
    """Exit with DVC's exit code after a failure; DVC has printed the reason."""
    if code:
        sys.exit(code)


if __name__ == "__main__":
    errors.run(main)
