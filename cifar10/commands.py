"""Run commands: their environment, their output, and the error message of a failure.

This module imports only the standard library and `errors`, because the cluster sends it to its workers.

Every command has its own process group. A signal that ends this process, Ctrl-C included, interrupts the
command and all processes that it has started, and waits for them, so that none goes on alone.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cifar10.errors import UserError

GRACE = 20.0  # seconds from an interruption to a kill; a training step with a large batch can take some
DVC = (sys.executable, "-m", "dvc")
OF_A_HOOK = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE")  # git sets them for its hooks
PIPED = {  # environment variables of a command whose output this process reads
    "PYTHONUNBUFFERED": "1",  # each line arrives immediately
    "PYTHONIOENCODING": "utf-8",
}


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a child process: this Python first in PATH, no password prompt of git.

    Args:
        more: variables to add.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    inherited = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK}
    return {**inherited, "PATH": path, "GIT_TERMINAL_PROMPT": "0", **more}


def output(*command: str, folder: Path | None = None, errors: str = "replace", **more: str) -> str:
    """Run a command and return its standard output.

    Args:
        command: the program and its arguments.
        folder: the working directory of the command.
        errors: what becomes of bytes that are not UTF-8, as for `bytes.decode`.
        more: variables to add to the environment.

    Raises:
        UserError: the command is not installed or failed; the message is its last error line.
    """
    pipe = subprocess.PIPE
    with _started(command, folder, False, pipe, pipe, {**PIPED, **more}, errors) as process:
        printed, messages = process.communicate()
    if process.returncode:
        raise UserError(_reason(messages or printed) or f"{command[0]} failed")
    return printed


def _reason(printed: str) -> str:
    """Return the last error line of a failed command, without its prefix; "" if it printed nothing."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    faults = [line for line in lines if line.startswith(("ERROR:", "error:", "fatal:"))]
    last = (faults or lines or [""])[-1]
    return re.sub("^(ERROR|error|fatal): (unexpected error - )?", "", last)


def show(*command: str, folder: Path | None = None, **more: str) -> None:
    """Run a command that prints to this process's terminal; `more` is added to its environment.

    Raises:
        SystemExit: the command failed and printed the reason; the exit code is the code of the command.
    """
    with _started(command, folder, True, None, None, more) as process:
        code = process.wait()
    if code:
        raise SystemExit(code if code > 0 else 128 - code)


@contextlib.contextmanager
def running(
    *command: str, folder: Path | None = None, tied: bool = False, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in its own process group, for a `with` block that reads the command's output.

    Standard error is part of standard output. Ctrl-C reaches only this process; if the block raises, the
    command is interrupted, and killed if it has not ended after GRACE seconds.

    Args:
        command: the program and its arguments.
        folder: the working directory of the command.
        tied: whether the process group is killed if this process dies; not on Windows.
        more: variables to add to the environment.

    Raises:
        UserError: the command is not installed.
    """
    variables = {**PIPED, **more}
    with _started(command, folder, tied, subprocess.PIPE, subprocess.STDOUT, variables) as process:
        yield process


@contextlib.contextmanager
def _started(
    command: tuple[str, ...],
    folder: Path | None,
    tied: bool,
    stdout: int | None,
    stderr: int | None,
    variables: dict[str, str],
    errors: str = "replace",
) -> Iterator[subprocess.Popen[str]]:
    """Run a command as `running` does; the streams are as for `subprocess.Popen`."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
            errors=errors,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the new session, on Windows
        )
    except FileNotFoundError as error:
        if error.filename != command[0]:
            raise  # the folder
        raise UserError(f"{command[0]} not found: install it") from None
    with _tied(process) if tied else contextlib.nullcontext(), process:
        try:
            yield process
        except BaseException:
            end(process)
            raise


def interrupt(process: subprocess.Popen[str]) -> None:
    """Interrupt a process group as Ctrl-C does."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        os.killpg(process.pid, signal.SIGINT)


def end(process: subprocess.Popen[str]) -> None:
    """Interrupt a process group; kill it after GRACE seconds, or at once on another signal."""
    try:
        interrupt(process)
        process.communicate(timeout=GRACE)  # until all processes that write to the same pipe have ended
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process group."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _tied(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill the process group of `process` if this process dies, whatever the signal.

    Otherwise the training of a killed worker would continue while another worker repeats it.
    """
    # only this process holds the other end of the pipe: `read` returns when this process dies
    script = f"read -r _; kill -s KILL -- -{process.pid}"
    if sys.platform == "win32":
        yield
        return
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.kill()
