"""Programs that are ready at once: forks of a process that has imported TensorFlow and DVC.

A start of TensorFlow takes 4 s of a core, one of DVC 1 s; the commands of the tests start them hundreds of
times. What is tested is the command, not the start, which the first run of the pipeline shows, and each test
whose subject it is: those run the commands themselves (`conftest.COLD`).
"""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = ("python", "dvc", "cifar10-classify")


class Server:
    """The process that forks, and the folder of programs to put first in the PATH.

    It serves all test processes; the first starts it, and it ends when the process `owner` has ended.
    """

    def __init__(self, folder: Path, environment: dict[str, str], owner: int):
        self.programs, self.socket, self.log = folder / "bin", folder / "socket", folder / "log"
        self.environment = environment | {"PATH": f"{self.programs}{os.pathsep}{environment['PATH']}"}
        if not self.programs.exists():
            self._write_programs()
            with self.log.open("w") as log:
                command = [sys.executable, HERE / "warm_server.py", self.socket, str(owner)]
                subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    def _write_programs(self) -> None:
        self.programs.mkdir(parents=True)
        for name in PROGRAMS:
            real = Path(sys.executable).with_name(name)
            client = [sys.executable, "-IS", HERE / "warm_client.py", sys.executable, self.socket]
            client += [] if name == "python" else [real]  # a script, which Python runs
            script = self.programs / name
            script.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, client))} "$@"\n')
            script.chmod(0o755)

    def wait(self, seconds: float = 120) -> None:
        """Wait until the server has imported everything."""
        end = time.monotonic() + seconds
        while not self.socket.exists():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def run(self, folder: Path, *command: str, **environment: str) -> tuple[int, str]:
        """Run a command in a folder; return its exit code and what it printed on both streams."""
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout
