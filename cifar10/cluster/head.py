"""The head's part: what must hold before a start, the spreading, and the end in this clone."""

import functools
import json
import logging
import pickle
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import Client, as_completed

from cifar10 import progress
from cifar10.cluster import task
from cifar10.errors import UserError

CONNECT = "5s"


def connect(address: str) -> Client:
    """Return a client of the dask scheduler at `address`.

    Raises:
        UserError: none answers there.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its tracebacks would bury our one line
    try:
        return Client(address, timeout=CONNECT)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"--scheduler {address}: no dask scheduler answers ({reason}); start one with `dask scheduler`"
        ) from None


def revision(output: Path) -> str:
    """Return the commit that is checked out.

    Raises:
        UserError: the workspace differs from it, but for `output`.
    """
    aside = [f":(exclude){output}"] if output.resolve().is_relative_to(Path.cwd()) else []
    changes = _read("git", "status", "--porcelain", "--", ".", *aside).splitlines()
    if changes:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        raise UserError(
            f"uncommitted changes: {changes[0][3:]}{more}; the workers train a commit: `git commit` or "
            "`git stash` them first"
        )
    return _read("git", "rev-parse", "HEAD").strip()


def origin(given: str | None, commit: str) -> str:
    """Return the address from which the workers clone, once `commit` was found there.

    Raises:
        UserError: there is none, or `commit` is not in what a clone of it gets.
    """
    if given is None:
        try:
            given = _read("git", "remote", "get-url", "origin").strip()
        except UserError:
            raise UserError("no git remote `origin`: name what the workers can clone with --origin") from None
    address = str(Path(given).resolve()) if Path(given).exists() else given
    with tempfile.TemporaryDirectory() as folder:
        try:
            _read("git", "clone", "--quiet", "--bare", address, folder)
        except UserError as error:
            raise UserError(f"--origin {address} cannot be cloned: {error}") from None
        try:
            _read("git", "-C", folder, "cat-file", "-e", f"{commit}^{{commit}}")
        except UserError:
            raise UserError(
                f"commit {commit[:12]} is not in {address}, so no worker can fetch it: `git push` it first"
            ) from None
    return address


def remote() -> tuple[str, str]:
    """Return the name and the address of the default DVC remote.

    Raises:
        UserError: there is none, or it does not answer.
    """
    name = _read(*task.DVC, "config", "core.remote").strip()
    if not name:
        raise UserError(
            "no default DVC remote, through which workers get images and give models: `dvc remote add -d`"
        )
    url = _read(*task.DVC, "config", f"remote.{name}.url").strip()
    url = url if "://" in url else str(Path(url).resolve())
    try:
        _read(*task.DVC, "status", "--cloud", "preprocess")
    except UserError as error:
        raise UserError(f"DVC remote {name} ({url}) does not answer: {error}") from None
    return name, url


def publish_images(url: str) -> None:
    """Bring the images up to date, and push what the trainings read.

    Raises:
        UserError: this fails, or dvc.lock then differs from the commit, so that workers would miss them.
    """
    progress.log("images: bringing them up to date")
    _read(*task.DVC, "repro", "--pull", "preprocess")
    if _read("git", "status", "--porcelain", "--", "dvc.lock"):
        raise UserError(
            "dvc.lock has changed, it now records these images: `git commit dvc.lock`, then again"
        )
    progress.log(f"images: pushing what is not yet in {url}")
    _read(*task.DVC, "push", "preprocess")


def stale(models: list[str]) -> list[str]:
    """Return those models whose training DVC would not skip."""
    status = json.loads(_read(*task.DVC, "status", "--json", *(f"train@{name}" for name in models)))
    return [name for name in models if f"train@{name}" in status]


def spread(client: Client, orders: list[task.Order]) -> Iterator[tuple[task.Order, Mapping[str, Any]]]:
    """Have the workers do the orders; yield each, when it is done, with its metrics, if it measured any.

    Raises:
        UserError: a training failed, or the scheduler is gone; what was finished is in the remote.
    """
    topic = f"cifar10-{uuid.uuid4()}"
    client.subscribe_topic(topic, _show)
    if not client.scheduler_info()["workers"]:
        progress.log("no worker has joined yet: waiting for one")
    futures = {}
    for order in orders:
        key = f"{order.label}-{uuid.uuid4()}"
        call = _Portable(functools.partial(task.run, replace(order, topic=topic)))
        futures[client.submit(call, key=key, pure=False)] = order
    with progress.bar(total=len(orders), desc="trainings", unit=" trainings") as bar:
        for future in as_completed(futures):
            order = futures[future]
            if future.status != "finished":
                raise UserError(f"{order.label}: {_reason(future)}; what was finished is in the remote")
            progress.log(f"{order.label}: finished")
            bar.update()
            yield order, json.loads(future.result() or "{}")


class _Portable:
    """A call that is sent with its code, so that scheduler and workers need not have this package."""

    def __init__(self, call: Callable[[], object]) -> None:
        cloudpickle.register_pickle_by_value(task)
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
    """Run `dvc repro`, which takes the trainings from the remote; return those that it ran nevertheless."""
    with subprocess.Popen(
        [*task.DVC, "repro", "--pull"],
        env=task.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        trained = []
        for line in process.stdout or ():
            sys.stderr.write(line)
            trained += re.findall(r"^Running stage '(train@[^']+)'", line)
    if process.returncode:
        raise UserError(f"`dvc repro --pull` ended with exit code {process.returncode}")
    return trained


def _read(*command: str) -> str:
    """Return what a command prints.

    Raises:
        UserError: it failed; says its last words.
    """
    try:
        done = subprocess.run(command, env=task.environment(), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"{command[0]} not found: install it") from None
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        faults = [line for line in said if line.startswith(("ERROR:", "error:", "fatal:"))]
        last = (faults or said or [f"{command[0]} failed"])[-1]
        raise UserError(re.sub("^(ERROR|error|fatal): (unexpected error - )?", "", last))
    return done.stdout
