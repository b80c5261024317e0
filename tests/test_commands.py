"""Commands that scripts and packages run: their environment, their output, their failures, their end."""

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cifar10 import commands, git
from cifar10.errors import UserError
from tests.conftest import ENVIRONMENT

FAILS = "import sys; print('some output'); sys.stderr.write('a note\\n{}\\nmore\\n'); sys.exit(3)"


def python(code):
    return sys.executable, "-c", code


def gone(pid, seconds=20):
    """Wait for the end of a process."""
    with contextlib.suppress(psutil.NoSuchProcess):
        end = time.monotonic() + seconds
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
            time.sleep(0.05)
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_python_of_a_command_is_this_python_and_git_asks_for_no_password():
    environment = commands.environment(SEED="1")
    assert Path(shutil.which("python", path=environment["PATH"])).parent == Path(sys.executable).parent
    assert (environment["GIT_TERMINAL_PROMPT"], environment["SEED"]) == ("0", "1")


def test_output_is_standard_output_as_utf8(tmp_path):
    code = "import os, sys; sys.stderr.write('aside'); print('größer', os.getcwd())"
    assert commands.output(*python(code), folder=tmp_path) == f"größer {tmp_path}\n"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("error: no such thing", "no such thing"),
        ("fatal: not a git repository", "not a git repository"),
        ("ERROR: unexpected error - it is full", "it is full"),
        ("something", "more"),  # without a line that begins like an error, the last one
    ],
)
def test_a_failure_is_the_last_error_line(said, message):
    with pytest.raises(UserError) as error:
        commands.output(*python(FAILS.format(said)))
    assert str(error.value) == message


def test_a_missing_program_is_named():
    with pytest.raises(UserError, match=r"^no-such-program not found: install it$"):
        commands.output("no-such-program")


def test_a_command_that_is_shown_ends_the_program_as_it_ended(capfd):
    commands.show(*python("import os; print(os.environ['SEED'])"), SEED="7")
    with pytest.raises(SystemExit) as end:
        commands.show(*python(FAILS.format("error: no")))
    assert end.value.code == 3
    assert capfd.readouterr().out == "7\nsome output\n"


def test_lines_of_both_streams_arrive_while_the_command_runs():
    code = "import sys, time; print('one'); sys.stderr.write('two\\n'); time.sleep(60)"
    with commands.running(*python(code)) as process:
        assert [next(process.stdout), next(process.stdout)] == ["one\n", "two\n"]
        assert process.poll() is None
        commands.interrupt(process)
    assert process.returncode == -signal.SIGINT


def test_a_block_that_raises_ends_the_command_and_its_children():
    child = "import time; time.sleep(60)"
    code = (
        "import subprocess, sys\n"
        f"process = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "print(process.pid); process.wait()"
    )
    pids = []
    with contextlib.suppress(KeyboardInterrupt), commands.running(*python(code)) as process:
        pids.append(int(next(process.stdout)))
        raise KeyboardInterrupt
    assert process.returncode
    assert gone(pids[0])


def test_a_tied_command_dies_with_the_process_that_started_it():
    inner = "import time; time.sleep(60)"
    code = (
        "import sys; from cifar10 import commands\n"
        f"with commands.running(sys.executable, '-c', {inner!r}, tied=True) as process:\n"
        "    print(process.pid, flush=True); process.wait()"
    )
    with subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone(pid)


def test_git_gives_its_output_and_its_reason(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.root)
    assert git.head() == git.line("rev-parse", "HEAD") == git.read("rev-parse", "HEAD").strip()
    assert git.line("rev-parse", "--verify", "--quiet", "no-such") == ""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^not a git repository"):
        git.head()


def test_uncommitted_files_are_listed_with_their_names(workspace, monkeypatch):
    monkeypatch.chdir(workspace.root)
    assert git.uncommitted(".") == []
    (workspace.root / "a new file").write_text("")
    workspace.edit("params.yaml", "epochs: 2", "epochs: 3")
    assert sorted(git.uncommitted(".")) == ["a new file", "params.yaml"]
    assert git.uncommitted("params.yaml", "dvc.lock") == ["params.yaml"]
