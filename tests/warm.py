"""Programs that are ready at once: forks of a process that has imported DVC, or TensorFlow and DVC.

A start of TensorFlow takes 4 s of a core, one of DVC 1 s; the commands of the tests start them hundreds of
times. What is tested is the command, not the start, which the first run of the pipeline shows, and each test
whose subject it is: those run the commands themselves (`conftest.COLD`).
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests import warm_client

HERE = Path(__file__).resolve().parent
PROGRAMS = {
    "python": "python",
    "dvc": "dvc",
    "cifar10-classify": "python",
    "cifar10-export": "python",
    "gto": "dvc",
}  # and their servers


class Server:
    """The processes that fork, and the folder of programs to put first in the PATH.

    They serve all test processes; the first starts them, and they end when the process `owner` has ended.
    """

    def __init__(self, folder: Path, environment: dict[str, str], owner: int):
        self.folder, self.programs = folder, folder / "bin"
        self.environment = environment | {"PATH": f"{self.programs}{os.pathsep}{environment['PATH']}"}
        if not self.programs.exists():
            self._write_programs()
            for name in dict.fromkeys(PROGRAMS.values()):
                with self._log(name).open("w") as log:
                    command = [sys.executable, HERE / "warm_server.py", name, self._socket(name), str(owner)]
                    subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    @property
    def worker(self) -> Path:
        """The program that pytest-xdist calls, instead of Python, to start a process that runs tests."""
        return self.folder / "worker"

    def _socket(self, program: str) -> Path:
        return self.folder / f"{PROGRAMS[program]}.socket"

    def _log(self, program: str) -> Path:
        return self.folder / f"{program}.log"

    def _write_programs(self) -> None:
        self.programs.mkdir(parents=True)
        for name in PROGRAMS:
            client = [sys.executable, "-IS", HERE / "warm_client.py", sys.executable, self._socket(name)]
            script = self.programs / name
            script.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, [*client, *_script(name)]))} "$@"\n')
            script.chmod(0o755)
        own = f"import sys; sys.executable = {sys.executable!r}\n"  # what a test starts itself is not warm
        client = [sys.executable, "-IS", HERE / "warm_client.py", sys.executable, self._socket("python")]
        command = shlex.join(map(str, [*client, "-c", own]))
        self.worker.write_text(f'#!/bin/sh\nexec {command}"$3" --worker\n')  # of the arguments -u -c CODE
        self.worker.chmod(0o755)

    def wait(self, *names: str, seconds: float = 240) -> None:
        """Wait until the servers of these programs, by default of all, have imported everything."""
        end = time.monotonic() + seconds
        for name in names or PROGRAMS:
            while not self._socket(name).exists():
                assert time.monotonic() < end, self._log(PROGRAMS[name]).read_text()
                time.sleep(0.05)

    def ask(
        self, command: Sequence[str], folder: Path, environment: dict[str, str], output: IO
    ) -> int | None:
        """Run a warm program without a client; return its exit code, or None if it has to be started.

        Args:
            command: program and arguments.
            folder: where it runs.
            environment: complete; the program is warm if its PATH says so.
            output: an open file, for both streams.
        """
        name, *arguments = command
        if name not in PROGRAMS or not environment["PATH"].startswith(f"{self.programs}{os.pathsep}"):
            return None
        arguments = [*map(str, [*_script(name), *arguments])]
        streams = (0, output.fileno(), output.fileno())
        return warm_client.ask(str(self._socket(name)), arguments, str(folder), environment, streams)

    def run(self, folder: Path, *command: str, **environment: str) -> tuple[int, str]:
        """Run a command in a folder; return its exit code and what it printed on both streams."""
        return run(self, command, folder, self.environment | environment)


def run(
    server: Server | None, command: Sequence[str], folder: Path, environment: dict[str, str]
) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed on both streams.

    Args:
        server: of warm programs; None starts every command.
        command: program and arguments.
        folder: where it runs.
        environment: complete.
    """
    with tempfile.TemporaryFile("w+") as output:
        code = server.ask(command, folder, environment, output) if server else None
        if code is None:
            streams = {"stdout": output, "stderr": subprocess.STDOUT}
            code = subprocess.run(command, cwd=folder, env=environment, **streams, check=False).returncode
        output.seek(0)
        return code, output.read()


def _script(program: str) -> list[Path]:
    """Return the script that Python runs as this program."""
    return [] if program == "python" else [Path(sys.executable).with_name(program)]
