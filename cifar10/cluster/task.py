"""What a worker does for one training.

This module is sent to the workers as it is here: it imports nothing but the standard library and dask.
A worker needs git and this project's environment, but no checkout: the code that trains is the revision's.
"""

import collections
import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from distributed import get_worker

DVC = (sys.executable, "-m", "dvc")
TAIL = 15  # lines of a failed command that go back to the head


@dataclass(frozen=True)
class Order:
    """One training, and where its code, its data and its result go."""

    model: str
    label: str  # the model and what was set for it, for people
    origin: str  # git URL or path
    revision: str  # commit
    remote: str  # name of the DVC remote
    remote_url: str  # URL or absolute path
    topic: str  # of the events that tell the head how far it is
    parameters: str | None = None  # text of params.yaml, where it is not the revision's
    measure: bool = False  # whether to measure the model on the test images, too


def run(order: Order) -> str:
    """Train `order.model`, push the result to the DVC remote; return the text of its metrics, or "".

    Raises:
        RuntimeError: a command failed; the first argument says which, the second is the end of its output.
    """
    worker = get_worker()

    def tell(state: str) -> None:
        worker.log_event(order.topic, {"label": order.label, "worker": worker.address, "state": state})

    tell("prepares")
    # a thread has a clone to itself, and keeps it for its next trainings: the images are fetched once
    clone = Path(worker.local_directory) / f"cifar10-{order.revision[:12]}-{threading.get_ident()}"
    _prepare(order, clone)
    tell("trains")

    def pass_on(line: str) -> None:
        if line.startswith(f"{order.model}: "):
            tell(line.removeprefix(f"{order.model}: "))

    _call(clone, *DVC, "repro", "--pull", "--single-item", f"train@{order.model}", hear=pass_on)
    tell("pushes")
    _call(clone, *DVC, "push", "--run-cache", f"train@{order.model}")
    if not order.measure:
        return ""
    tell("measures")
    _call(clone, *DVC, "repro", "--pull", "--single-item", f"evaluate@{order.model}")
    return (clone / f"reports/metrics/{order.model}.json").read_text(encoding="utf-8")


def _prepare(order: Order, clone: Path) -> None:
    """Check the revision out, and set what differs from it."""
    if "://" not in order.remote_url and not Path(order.remote_url).is_dir():
        raise RuntimeError(f"DVC remote {order.remote}: no folder {order.remote_url} on this machine", "")
    if not clone.exists():
        beside = clone.with_suffix(".tmp")
        shutil.rmtree(beside, ignore_errors=True)
        _call(clone.parent, "git", "clone", "--quiet", "--no-checkout", order.origin, str(beside))
        _call(beside, "git", "checkout", "--quiet", "--detach", order.revision)
        _call(beside, *DVC, "remote", "modify", "--local", order.remote, "url", order.remote_url)
        beside.rename(clone)
    _call(clone, "git", "reset", "--quiet", "--hard", order.revision)
    if order.parameters is not None:
        (clone / "params.yaml").write_text(order.parameters, encoding="utf-8", newline="\n")


def _call(folder: Path, *command: str, hear: Callable[[str], None] | None = None) -> None:
    """Run a command in `folder`, give each line that it prints to `hear`."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    tail: collections.deque[str] = collections.deque(maxlen=TAIL)
    with _dying_with_us(process), process:
        for line in process.stdout or ():
            tail.append(line.rstrip())
            if hear:
                hear(tail[-1])
    if process.returncode:
        shown = " ".join(command).replace(" ".join(DVC), "dvc")
        raise RuntimeError(f"`{shown}` ended with exit code {process.returncode}", "\n".join(tail))


def environment() -> dict[str, str]:
    """Return this process' environment, where `python` is this Python, and git asks nobody for a password."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "GIT_TERMINAL_PROMPT": "0"}


@contextlib.contextmanager
def _dying_with_us(process: subprocess.Popen[str]) -> Iterator[None]:
    """Have the process group of `process` killed if this process dies, however it dies.

    Otherwise the training of a killed worker would go on for nobody, beside the one that replaces it.
    """
    # the pipe's other end is ours alone: it closes when we die, and `read` returns
    script = f"read -r _; kill -s KILL -- -{process.pid}"
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.kill()
