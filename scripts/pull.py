"""Fetch trained models, or other outputs of the pipeline, from the DVC remote.

Files of the workspace change only after all requested outputs have arrived intact. `dvc pull`, in contrast,
removes older versions before that, and does not accept a folder that only contains outputs.
"""

import argparse
import sys
from pathlib import Path

from dvc.cli import main as dvc
from dvc.exceptions import OutputNotFoundError
from dvc.output import Output
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
    with Repo() as repo:
        targets = [output for target in arguments.target for output in outputs(repo, target)]
        end_on_failure(
            dvc(["fetch", *targets, *(["--remote", arguments.remote] if arguments.remote else [])])
        )
        absent = missing(repo, targets)
    if absent:
        lines = "".join(f"\n  {path}: {recorded(content)}" for path, content in sorted(absent.items()))
        sys.exit(
            "error: missing or corrupt on the DVC remote, or no answer from it; no file was changed here:"
            f"{lines}\nWho recorded a file may still have it: run `dvc push` in that clone. Nobody has it: "
            "`make repro` makes it again"
        )
    end_on_failure(dvc(["checkout", *targets]))


def outputs(repo: Repo, target: str) -> list[str]:
    """List the DVC outputs in a folder, or a single output; exit on anything else."""
    folder = repo.fs.abspath(target)
    if inside := [str(o) for o in repo.index.outs if o.use_cache and o.fs.isin(o.fs_path, folder)]:
        return inside
    try:
        repo.find_outs_by_path(target, strict=False)
    except OutputNotFoundError:
        sys.exit(f"error: {target}: expected an output of dvc.yaml or a folder that contains outputs")
    return [target]


def missing(repo: Repo, targets: list[str]) -> dict[str, str]:
    """Return the files whose content recorded in dvc.lock is not in the cache.

    Args:
        repo: the project.
        targets: outputs, or files in outputs that are folders.

    Returns:
        The MD5 of the output by the path of the file, or by that of the output if the list of its files is
        missing.
    """
    found = {}
    for target in targets:
        path = repo.fs.abspath(target)
        (out,) = repo.find_outs_by_path(target, repo.index.outs, strict=False)
        for file, content in contents(out).items():
            asked = file == out.fs_path or repo.fs.isin_or_eq(file, path)
            if asked and not out.cache.exists(content):
                found[repo.fs.relpath(file)] = out.hash_info.value
    return found


def contents(out: Output) -> dict[str, str]:
    """Return the MD5 that dvc.lock records for each file of an output, by path.

    An output that is a folder is one entry if the list of its files is not in the cache.
    """
    if not out.hash_info or not out.use_cache:
        return {}  # not in dvc.lock, or in git
    if out.is_dir_checksum and (tree := out.get_obj()):
        return {out.fs.join(out.fs_path, *key): content.value for key, _, content in tree}
    return {out.fs_path: out.hash_info.value}


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
