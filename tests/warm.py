"""`python` and `dvc` that are ready at once: forks of a process that has imported TensorFlow and DVC.

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


class Server:
    """The process that forks, and the folder of programs to put first in the PATH."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.programs, self.socket = folder / "bin", folder / "socket"
        self.programs.mkdir(parents=True)
        for name in ("python", "dvc"):
            real = Path(sys.executable).with_name(name)
            client = [sys.executable, "-IS", HERE / "warm_client.py", real, self.socket, name]
            script = self.programs / name
            script.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, client))} "$@"\n')
            script.chmod(0o755)
        with (folder / "log").open("w") as log:
            command = [sys.executable, HERE / "warm_server.py", self.socket]
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        self.environment = environment | {"PATH": f"{self.programs}{os.pathsep}{environment['PATH']}"}

    def wait(self) -> None:
        """Wait until the server has imported everything."""
        while not self.socket.exists():
            assert self.process.poll() is None, (self.socket.parent / "log").read_text()
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

    def stop(self) -> None:
        """End the server and what it runs."""
        self.process.stdin.close()
        self.process.wait()
