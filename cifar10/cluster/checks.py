"""Checks before a start: the workers can fetch the commit and the images."""

import tempfile
from pathlib import Path

from cifar10 import commands, git, progress, staleness
from cifar10.errors import UserError


def commit(output: Path) -> str:
    """Return the hash of the commit that is checked out.

    Raises:
        UserError: there are uncommitted changes, other than the file `output`.
    """
    aside = [f":(exclude){output}"] if output.resolve().is_relative_to(Path.cwd()) else []
    changes = git.uncommitted(".", *aside)
    if changes:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        raise UserError(
            f"uncommitted changes: {changes[0]}{more}; the workers train a commit: `git commit` or "
            "`git stash` them first"
        )
    return git.head()


def git_url(given: str | None, commit: str) -> str:
    """Return the URL that the workers clone, after a check that it has `commit`.

    Args:
        given: a URL or a path; None for git's remote `origin`.
        commit: full hash.

    Raises:
        UserError: there is no URL, it cannot be cloned, or the clone does not have `commit`.
    """
    given = given or git.line("remote", "get-url", "origin")
    if not given:
        raise UserError("no git remote `origin`: name what the workers can clone with --git-url")
    url = str(Path(given).resolve()) if Path(given).exists() else given
    with tempfile.TemporaryDirectory() as folder:
        try:
            git.read("clone", "--quiet", "--bare", url, folder)
        except UserError as error:
            raise UserError(f"--git-url {url} cannot be cloned: {error}") from None
        try:
            git.read("cat-file", "-e", f"{commit}^{{commit}}", folder=Path(folder))
        except UserError:
            raise UserError(
                f"commit {commit[:12]} is not in {url}, so no worker can fetch it: `git push` it first"
            ) from None
    return url


def remote() -> tuple[str, str]:
    """Return the name and the URL of the default DVC remote.

    Raises:
        UserError: there is none, or it does not answer.
    """
    settings = dict(line.partition("=")[::2] for line in _dvc("config", "--list").splitlines())
    name = settings.get("core.remote")
    if not name:
        raise UserError(
            "no default DVC remote; workers need one to fetch images and push models: `dvc remote add -d`"
        )
    url = settings.get(f"remote.{name}.url", "")
    url = url if "://" in url else str(Path(url).resolve())
    try:
        _dvc("status", "--cloud", "preprocess")
    except UserError as error:
        raise UserError(f"DVC remote {name} ({url}) does not answer: {error}") from None
    return name, url


def publish_images(url: str) -> None:
    """Bring the images up to date, and push what the trainings read.

    Raises:
        UserError: this fails, or dvc.lock then differs from the commit, so that workers would miss them.
    """
    progress.log("images: bringing them up to date")
    _dvc("repro", "--pull", "preprocess")
    if git.uncommitted(staleness.LOCK):
        raise UserError(
            "dvc.lock has changed to record these images: run `git commit dvc.lock`, then this command again"
        )
    progress.log(f"images: pushing what is not yet in {url}")
    _dvc("push", "preprocess")


def _dvc(*arguments: str) -> str:
    return commands.output(*commands.DVC, *arguments)
