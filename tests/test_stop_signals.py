"""Signals end every command in the same way: with one line and an exit code of their own."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import ENVIRONMENT, heed_ctrl_c

WAITS = """
import os, sys, time
from cifar10 import errors
def main():
    try:
        print(os.getpid(), flush=True)
        while True:
            time.sleep(0.1)
    finally:
        print("cleaned up", flush=True)
errors.run(main)
"""
DROPS = """
import contextlib, os, time
from cifar10 import errors, stop_signals
def main():
    with contextlib.suppress(KeyboardInterrupt):  # as compiled code that clears the error does
        print(os.getpid(), flush=True)
        while True:
            time.sleep(0.1)
    print("dropped", flush=True)
    stop_signals.check()
    print("not reached", flush=True)
errors.run(main)
"""
STARTS = f"""
import sys
from cifar10 import commands, errors
def main():
    with commands.running(sys.executable, "-c", {WAITS!r}) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
errors.run(main)
"""


def started(code, ignored=()):
    """Start Python code; return its process and the process ID that WAITS prints.

    Signals of `ignored` are ignored, as `nohup` and background jobs of a shell do.
    """

    def prepare():
        heed_ctrl_c()
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=ENVIRONMENT | {"PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=prepare,
        start_new_session=True,
    )
    return process, int(process.stdout.readline())


@pytest.mark.parametrize("code", [WAITS, STARTS], ids=["alone", "with a command"])
@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGINT, ""), (signal.SIGTERM, " by SIGTERM"), (signal.SIGHUP, " by SIGHUP")],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_signal_ends_a_command_and_what_it_started(code, number, said):
    process, last = started(code)
    process.send_signal(number)
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 128 + number
    assert "cleaned up\n" in output or code == STARTS
    assert output.endswith(f"error: interrupted{said}; no file is half-written, run the same command again\n")
    assert "Traceback" not in output
    assert not psutil.pid_exists(last)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_whose_exception_is_dropped_is_raised_again(number):
    process, _ = started(DROPS)
    process.send_signal(number)
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 128 + number
    assert "dropped\n" in output
    assert "not reached" not in output
    assert "error: interrupted" in output


def test_a_hang_up_that_is_ignored_stays_ignored():
    process, _ = started(WAITS, [signal.SIGHUP])
    process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert process.poll() is None
    process.terminate()
    assert process.wait() == 128 + signal.SIGTERM


def test_a_background_job_ignores_ctrl_c_but_its_commands_end_with_it():
    process, last = started(STARTS, [signal.SIGINT])
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None
    process.terminate()  # the command is interrupted, and waited for
    assert process.wait(10) == 128 + signal.SIGTERM
    assert not psutil.pid_exists(last)
