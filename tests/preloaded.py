"""Run DVC commands as forks of a process that has imported DVC: saves 1.5 s per command."""

import contextlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ENVIRONMENT

PARENT = """
import contextlib, faulthandler, importlib, json, os, runpy, signal, sys

for name in json.loads(sys.argv[1]):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
from dvc.cli import main
from dvc.cli.parser import get_main_parser

get_main_parser()  # imports all commands

for line in sys.stdin:
    task = json.loads(line)
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(task["output"], os.O_WRONLY), 1)
    os.dup2(1, 2)
    faulthandler.dump_traceback_later(40)
    signal.alarm(45)  # nothing takes that long, unless it hangs
    os.chdir(task["folder"])
    os.environ.update(task["environment"])
    program, *sys.argv[:] = task["command"]
    code = 0
    try:
        if program == "dvc":
            sys.exit(main(sys.argv))
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    sys.stdout.flush()
    os._exit(code or 0)  # to take all that was imported down again would cost as much as it saved
"""
MODULES = [
    *("aiobotocore.session", "aiohttp_retry", "asyncssh", "dvc_http.spec", "dvc_s3", "dvc_ssh.spec", "s3fs"),
    *(
        "dulwich.repo",
        "dvc.api",
        "dvc.commands.data_sync",
        "dvc.repo.checkout",
        "dvc.repo.fetch",
        "dvc.repo.push",
    ),
    *("dvc_data.index.fetch", "dvc_data.index.push", "dvc_data.index.checkout", "gto.tag", "pygit2"),
]


@dataclass
class Preloaded:
    """Parent process of the commands."""

    process: subprocess.Popen

    def run(self, folder, *command, **environment):
        """Run `dvc ...` or `python FILE ...`; return its exit code and the output of both streams."""
        with tempfile.NamedTemporaryFile("r") as output:
            task = {
                "folder": str(folder),
                "command": command,
                "environment": environment,
                "output": output.name,
            }
            self.process.stdin.write(json.dumps(task) + "\n")
            self.process.stdin.flush()
            code = int(self.process.stdout.readline())
            return code, Path(output.name).read_text()


@contextlib.contextmanager
def preloaded():
    """Start the parent process; end it after the block."""
    command = [sys.executable, "-c", PARENT, json.dumps(MODULES)]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=ENVIRONMENT, text=True, **streams) as process:
        yield Preloaded(process)
        process.stdin.close()
