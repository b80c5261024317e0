"""The end of a command: one line, an exit code, and silence if nobody reads."""

import signal
import subprocess
import sys

import pytest

from cifar10 import errors, stage_run

CODE = """
import sys
from cifar10 import errors
def main():
    {body}
errors.run(main)
"""


def run(body, tail="", **options):
    command = f"{sys.executable} -c '{CODE.format(body=body)}' {tail}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize(
    "body",
    [
        'print("x\\n" * 100000)',
        'print("x", flush=True); import time; time.sleep(0.3); print("y")',
        'print("x\\n" * 100000, file=sys.stderr)',
        'print("x\\n" * 100000); sys.exit(1)',
        'print("x", flush=True); import time; time.sleep(0.3); raise errors.UserError("late")',
    ],
)
def test_a_closed_pipe_ends_it_silently(body):
    done = run(body, "2>&1 | head -1; exit ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("x\n", "")
    assert done.returncode == (2 if "late" in body else 141)


def test_a_full_disk_is_one_line():
    done = run('print("x")', "> /dev/full")
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


def test_another_closed_pipe_is_an_error():
    done = run('raise BrokenPipeError(32, "Broken pipe")', "| cat")
    assert done.stderr == "error: Broken pipe\n"


def test_the_garbage_collector_runs_but_passes_over_imported_modules():
    body = "import gc; print(gc.isenabled(), any(each is vars(sys) for each in gc.get_objects()))"
    assert run(body).stdout == "True False\n"


@pytest.mark.parametrize(("kind", "code"), [("UserError", 2), ("StaleError", 1)])
def test_a_message_is_escaped_and_the_kind_decides_the_code(kind, code):
    done = run(f'raise errors.{kind}("a\\x1b[31m\\n  b\\udce9")')
    assert (done.returncode, done.stderr) == (code, "error: a\\x1b[31m\n  b\\xe9\n")


def test_a_signal_that_other_code_turns_into_another_error_ends_as_a_signal():
    code = (
        "import os, signal, time\nfrom cifar10 import errors\n"
        "def main():\n    try:\n        os.kill(os.getpid(), signal.SIGTERM)\n        time.sleep(9)\n"
        "    except KeyboardInterrupt:\n        raise AttributeError('as of C code')\n"
        "errors.run(main)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert (
        done.stderr == "error: interrupted by SIGTERM; no file is half-written, run the same command again\n"
    )


def test_the_exit_code_of_a_training_without_a_finite_loss_is_known_where_stages_are_run():
    assert errors.DivergedError.code == stage_run.DIVERGED
