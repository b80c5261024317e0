"""The driver: connect to the scheduler, distribute the jobs, fetch the results into this clone."""

import functools
import json
import logging
import pickle
import re
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import cloudpickle
from distributed import Client, as_completed

import cifar10
from cifar10 import commands, progress, stage_names, staleness
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


def stale() -> set[tuple[str, int]]:
    """Return model and seed of each training that DVC would run."""
    return {stage_names.split(stage) for stage in staleness.stale("train")}


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
                raise UserError(f"{job.label}: {_reason(future)}; finished trainings are in the DVC remote")
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
        return "the scheduler does not answer"
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
