"""The driver: check the conditions, distribute the jobs, fetch the results into this clone."""

import functools
import json
import logging
import pickle
import re
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import Client, as_completed

import cifar10
from cifar10 import commands, git, progress, staleness
from cifar10.cluster import task
from cifar10.cluster.task import TrainingJob
from cifar10.errors import UserError

CONNECT = "5s"


def connect(address: str) -> Client:
    """Return a client of the dask scheduler at `address`.

    Raises:
        UserError: no scheduler answers there.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # no tracebacks around the error message
    try:
        return Client(address, timeout=CONNECT)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"--scheduler {address}: no dask scheduler answers ({reason}); start one with `dask scheduler`"
        ) from None


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
        UserError: there is no default remote, or it does not answer.
    """
    name = _dvc("config", "core.remote").strip()
    if not name:
        raise UserError(
            "no default DVC remote, through which workers get images and give models: `dvc remote add -d`"
        )
    url = _dvc("config", f"remote.{name}.url").strip()
    url = url if "://" in url else str(Path(url).resolve())
    try:
        _dvc("status", "--cloud", "preprocess")
    except UserError as error:
        raise UserError(f"DVC remote {name} ({url}) does not answer: {error}") from None
    return name, url


def publish_images(url: str) -> None:
    """Update the images and push them to the DVC remote.

    Raises:
        UserError: a command fails, or dvc.lock has changed and must be committed first.
    """
    progress.log("images: bringing them up to date")
    _dvc("repro", "--pull", "preprocess")
    if git.uncommitted(staleness.LOCK):
        raise UserError(
            "dvc.lock has changed, it now records these images: `git commit dvc.lock`, then again"
        )
    progress.log(f"images: pushing what is not yet in {url}")
    _dvc("push", "preprocess")


def stale(models: list[str]) -> list[str]:
    """List the models whose training DVC would run."""
    stages = staleness.stale(*(f"train@{name}" for name in models))
    return [name for name in models if f"train@{name}" in stages]


def spread(client: Client, jobs: list[TrainingJob]) -> Iterator[tuple[TrainingJob, Mapping[str, Any]]]:
    """Run the jobs on the workers; yield each finished job with its metrics ({} without `job.measure`).

    Raises:
        UserError: a training failed, or the scheduler has stopped; finished trainings are in the remote.
    """
    topic = f"cifar10-{uuid.uuid4()}"
    client.subscribe_topic(topic, _show)
    if not client.scheduler_info()["workers"]:
        progress.log("no worker has joined yet: waiting for one")
    futures = {}
    for job in jobs:
        key = f"{job.label}-{uuid.uuid4()}"
        call = _Portable(functools.partial(task.run, replace(job, topic=topic)))
        futures[client.submit(call, key=key, pure=False)] = job
    with progress.bar(total=len(jobs), desc="trainings", unit=" trainings") as bar:
        for future in as_completed(futures):
            job = futures[future]
            if future.status != "finished":
                raise UserError(f"{job.label}: {_reason(future)}; what was finished is in the remote")
            progress.log(f"{job.label}: finished")
            bar.update()
            yield job, json.loads(future.result() or "{}")


class _Portable:
    """A call that is sent together with its code: scheduler and workers do not need this package."""

    def __init__(self, call: Callable[[], object]) -> None:
        cloudpickle.register_pickle_by_value(cifar10)  # sends the code of the modules that the call uses
        self._code = cloudpickle.dumps(call)

    def __call__(self) -> object:
        return pickle.loads(self._code)()

    def __reduce__(self) -> tuple[object, ...]:
        return pickle.loads, (self._code,)


def _show(event: tuple[object, Mapping[str, str]]) -> None:
    progress.log("{label}: {worker}: {state}".format(**event[1]))


def _reason(future: Any) -> str:
    if future.status == "cancelled":
        return "the scheduler is gone"
    error = future.exception()
    if isinstance(error, RuntimeError) and len(error.args) == 2:
        progress.log(error.args[1])
        return str(error.args[0])
    return " ".join(str(error).split())


def finish() -> list[str]:
    """Run `dvc repro --pull`, which fetches the trained models; return the trainings that it ran here."""
    with commands.running(*commands.DVC, "repro", "--pull") as process:
        trained = []
        for line in process.stdout or ():
            sys.stderr.write(line)
            trained += re.findall(r"^Running stage '(train@[^']+)'", line)
    if process.returncode:
        raise UserError(f"`dvc repro --pull` ended with exit code {process.returncode}")
    return trained


def _dvc(*arguments: str) -> str:
    return commands.output(*commands.DVC, *arguments)
