"""Fetch trained models, or other outputs of the pipeline, from the DVC remote.

The files here change only once all that was asked for has arrived whole. `dvc pull` removes the older version
of a file before it knows that, and does not take a folder for the outputs in it.
"""

import argparse
import sys

from dvc.cli import main as dvc
from dvc.exceptions import OutputNotFoundError
from dvc.repo import Repo


def main() -> None:
    """Fetch into the cache, look what has come, then change the workspace."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("target", nargs="*", default=["models"], help="file or folder (default: models)")
    parser.add_argument("-r", "--remote", help="DVC remote (default: the default one)")
    arguments = parser.parse_args()
    targets = [output for target in arguments.target for output in outputs(target)]
    end_on_failure(dvc(["fetch", *targets, *(["--remote", arguments.remote] if arguments.remote else [])]))
    if absent := missing(targets):
        sys.exit(
            f"error: no sound copy of {', '.join(absent)} came from the DVC remote: it did not answer, was "
            "never given one (`dvc push` where it was made), or has a damaged one; no file here was changed"
        )
    end_on_failure(dvc(["checkout", *targets]))


def outputs(target: str) -> list[str]:
    """List what DVC keeps in a folder; a file stands for itself. Anything else ends the program."""
    with Repo() as repo:
        folder = repo.fs.abspath(target)
        if inside := [str(o) for o in repo.index.outs if o.use_cache and o.fs.isin(o.fs_path, folder)]:
            return inside
        try:
            repo.find_outs_by_path(target, strict=False)
        except OutputNotFoundError:
            sys.exit(f"error: {target}: neither an output of dvc.yaml nor a folder that holds one")
        return [target]


def missing(targets: list[str]) -> list[str]:
    """List the outputs whose content, as dvc.lock records it, is not in the cache."""
    with Repo() as repo:
        status = repo.data_status(targets=targets, granular=True, with_renames=False)
        return list(status["not_in_cache"])


def end_on_failure(code: int) -> None:
    """End as DVC ended, which has said why."""
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
