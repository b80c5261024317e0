"""Real servers for the tests: each listens on 127.0.0.1 alone, and is stopped by its own process id."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.conftest import ENVIRONMENT


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(log, *command, ports=(), cwd=None, **environment):
    """Run a server until the end of the block; begin it when the server listens."""
    with log.open("w") as output:
        process = psutil.Popen(
            command, cwd=cwd, env={**ENVIRONMENT, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        for port in ports:
            wait_for(lambda port=port: _listens(port), process, log)
        yield process
    finally:
        if process.is_running():
            process.terminate()
        try:
            process.wait(10)
        except psutil.TimeoutExpired:
            process.kill()


def wait_for(condition, process, log, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert process.is_running(), log.read_text()
        assert process.status() != psutil.STATUS_ZOMBIE, log.read_text()
        assert time.monotonic() < end, f"not after {seconds} s:\n{log.read_text()}"
        time.sleep(0.1)


def _listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Remote:
    """A folder behind an SSH server, and what lets DVC in."""

    url: str
    folder: Path
    environment: dict[str, str]


@contextlib.contextmanager
def ssh_remote(root):
    """Run an SSH server with keys of its own; DVC knows the key from a configuration outside every clone."""
    pytest.importorskip("dvc_ssh", reason="dvc-ssh is not installed: pip install -e '.[ssh]'")
    import asyncssh

    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not server:
        pytest.skip("no OpenSSH server: scripts/install-test-servers")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where a server that root starts locks its helper in
    for name in ("host", "user"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(root / name)
        (root / name).chmod(0o600)
        key.write_public_key(root / f"{name}.pub")
    port = free_port()
    (root / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {root}/host\nAuthorizedKeysFile {root}/user.pub\n"
        f"PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\n"
        f"PidFile none\nMaxStartups 100\nSubsystem sftp internal-sftp\n"
    )
    (root / "dvc").mkdir()
    (root / "dvc/config").write_text(f"['remote \"storage\"']\n    keyfile = {root}/user\n")
    (root / "files").mkdir()
    environment = {"DVC_GLOBAL_CONFIG_DIR": str(root / "dvc")}
    with running(root / "sshd.log", server, "-D", "-e", "-f", str(root / "sshd_config"), ports=[port]):
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{root}/files"
        yield Remote(url, root / "files", environment)


@dataclass
class Worker:
    """A dask worker."""

    process: psutil.Popen
    address: str
    folder: Path


@contextlib.contextmanager
def scheduler(root):
    """Run a dask scheduler; give its address."""
    pytest.importorskip("distributed", reason="dask is not installed: pip install -e '.[cluster]'")
    port = free_port()
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    local = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
    with running(root / "scheduler.log", *dask, *local, "--port", str(port), ports=[port], cwd=root):
        yield f"tcp://127.0.0.1:{port}"


@contextlib.contextmanager
def worker(root, name, address, **environment):
    """Run a dask worker in one process, so that who kills it has killed it."""
    port = free_port()
    dask = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1"]
    local = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--worker-port", str(port)]
    folder = root / name
    command = [*dask, *local, "--local-directory", str(folder)]
    with running(root / f"{name}.log", *command, ports=[port], cwd=root, **environment) as process:
        yield Worker(process, f"tcp://127.0.0.1:{port}", folder)
