"""Run commands: one environment, one way to read what they print, one message when they fail.

Imports nothing but the standard library and `errors`: the cluster sends this module to its workers.
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

DVC = (sys.executable, "-m", "dvc")
PIPED = {  # in the environment of a command whose output this process reads
    "PYTHONUNBUFFERED": "1",  # a line arrives when it is written
    "PYTHONIOENCODING": "utf-8",
}


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a child process: this Python is first in PATH, git asks for no password.

    Args:
        more: variables to add.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "GIT_TERMINAL_PROMPT": "0", **more}


def output(*command: str, folder: Path | None = None) -> str:
    """Return what a command writes to standard output.

    Raises:
        UserError: the command is not installed or failed; the message is its last error line.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(**PIPED),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise UserError(f"{command[0]} not found: install it") from None
    if done.returncode:
        raise UserError(_reason(done.stderr or done.stdout) or f"{command[0]} failed")
    return done.stdout


def _reason(printed: str) -> str:
    """Return the last error line of a failed command, without its prefix; "" if it printed nothing."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    faults = [line for line in lines if line.startswith(("ERROR:", "error:", "fatal:"))]
    last = (faults or lines or [""])[-1]
    return re.sub("^(ERROR|error|fatal): (unexpected error - )?", "", last)


def show(*command: str, folder: Path | None = None, **more: str) -> None:
    """Run a command on this process's terminal, with `more` in its environment.

    Raises:
        SystemExit: the command failed; the exit code is the command's, which has printed the reason.
    """
    code = subprocess.run(command, cwd=folder, env=environment(**more), check=False).returncode
    if code:
        raise SystemExit(code)


@contextlib.contextmanager
def running(
    *command: str, folder: Path | None = None, tied: bool = False, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process group of its own until the end of the block, which reads its output.

    Standard error is part of standard output. Ctrl-C reaches the caller only: a block that raises
    interrupts the command.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        tied: whether the process group is killed if this process dies; not on Windows.
        more: added to the environment.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**PIPED, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
    )
    with _tied(process) if tied else contextlib.nullcontext(), process:
        try:
            yield process
        except BaseException:
            interrupt(process)
            raise


def interrupt(process: subprocess.Popen[str]) -> None:
    """End a process group as Ctrl-C does."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        os.killpg(process.pid, signal.SIGINT)


@contextlib.contextmanager
def _tied(process: subprocess.Popen[str]) -> Iterator[None]:
    """Have the process group of `process` killed if this process dies, by whatever signal.

    Otherwise the training of a killed worker continues beside the training that replaces it.
    """
    # only this process holds the other end of the pipe: `read` returns when this process dies
    script = f"read -r _; kill -s KILL -- -{process.pid}"
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.kill()
