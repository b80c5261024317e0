"""DVC remotes on real servers, set up with the commands of docs/remotes.md, and clones that use them."""

import contextlib
import hashlib
import os
import re
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

import fsspec
import yaml

from tests import hosts, servers
from tests.conftest import Clone
from tests.warm import Server

MODEL = ["models/model_0/seed_0.h5", "models/model_0/seed_0.ood.npz"]
DOCS = Path("docs/remotes.md")


def documented(section, begins="dvc "):
    """Return the commands of a section of docs/remotes.md."""
    text = DOCS.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for line in "".join(blocks).splitlines() if line.startswith(begins)]
    assert lines, f"no line that begins with {begins!r} under {section!r}"
    return lines


@dataclass
class Colleague:
    """A colleague's clone, and methods to work in it."""

    clone: Clone
    dvc: Server

    @property
    def root(self):
        return self.clone.root

    def run(self, *command):
        code, printed = self.dvc.run(self.root, *command)
        assert code == 0, f"{command}: {code}\n{printed}"
        return printed

    def fails(self, *command, words=(), changes=False):
        """Run a command that must fail with a message and leave all files unchanged."""
        before = self.files()
        code, printed = self.dvc.run(self.root, *command)
        assert code > 0, printed
        assert "Traceback" not in printed
        assert [word for word in words if word not in printed] == [], printed
        assert changes or self.files() == before
        self.check_cache()
        return printed

    @contextlib.contextmanager
    def local(self, text):
        """Replace .dvc/config.local during the block."""
        path = self.root / ".dvc/config.local"
        before = path.read_text()
        path.write_text(text)
        try:
            yield
        finally:
            path.write_text(before)

    def files(self):
        """Return the digests of all files except those of git, DVC and Python itself."""
        names = []
        for folder, below, found in os.walk(self.root):
            below[:] = (name for name in below if name not in (".git", ".dvc", "__pycache__"))
            names += [os.path.relpath(f"{folder}/{name}", self.root) for name in found]
        return {name: hashlib.sha256((self.root / name).read_bytes()).hexdigest() for name in names}

    def check_cache(self):
        """Check that the content of each object in the cache matches its name.

        DVC may leave half-written files as `.*.tmp`, a name that it never reads.
        """
        for path in (self.root / ".dvc/cache/files/md5").glob("??/[!.]*"):
            if path.is_file():
                name = (path.parent.name + path.name).removesuffix(".dir")
                assert hashlib.md5(path.read_bytes()).hexdigest() == name, path

    def follow(self, lines, values):
        """Run documented commands with actual values in place of the examples."""
        for line in lines:
            for written, value in values.items():
                line = line.replace(written, value)
            self.run(*line.split())


@dataclass
class Storage:
    """A remote behind a proxy that can be cut, with access to its objects without DVC."""

    pusher: Colleague
    line: hosts.Line | None
    files: fsspec.AbstractFileSystem
    root: str  # folder of the remote in `files`
    secret: str
    wrong: str  # an invalid secret
    reader: tuple[str, str]  # old and new text in config.local for read-only access

    @property
    def local(self):
        return (self.pusher.root / ".dvc/config.local").read_text()

    def colleague(self, path):
        """Clone the pusher's repository, with credentials and without data."""
        subprocess.run(["git", "clone", "--quiet", self.pusher.root, path], check=True)
        (path / ".dvc/config.local").write_text(self.local)
        return self.at(path)

    def at(self, path):
        """Return the colleague whose clone is there."""
        return Colleague(Clone(path), self.pusher.dvc)

    def object(self, name):
        md5 = recorded(self.pusher.root, name)["md5"]
        return f"{self.root}/files/md5/{md5[:2]}/{md5[2:]}"

    def holds(self, name):
        """Whether the remote has the object, with the right bytes."""
        path = self.object(name)
        if not self.files.exists(path):
            return False
        return hashlib.md5(self.files.cat_file(path)).hexdigest() == recorded(self.pusher.root, name)["md5"]


def recorded(root, name):
    """Return the entry of an output in dvc.lock."""
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    (found,) = [out for stage in lock["stages"].values() for out in stage["outs"] if out["path"] == name]
    return found


def train_anew(lock):
    """Replace the .h5 file of model_0, seed 0, in dvc.lock by that of model_2."""
    old, new = (recorded(lock.parent, f"models/{name}/seed_0.h5") for name in ("model_0", "model_2"))
    text = lock.read_text().replace(old["md5"], new["md5"])
    lock.write_text(text.replace(f"size: {old['size']}", f"size: {new['size']}"))


def make_pusher(finished, dvc, root):
    """Clone the repository as it is with one seed, with a shared cache, which has the trained models.

    It lacks the files that are no part of the pipeline, so that clones of it take less time. The next commit
    records this.
    """
    clone = Clone(root)
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", finished.root, root], check=True)
    clone.run("git", "reset", "--quiet", "one-seed")  # DVC reads half as many stages
    clone.run("git", "rm", "-r", "--cached", "--quiet", "benchmarks", "docs", "tests")
    clone.run("git", "checkout", "--quiet", "--", ".")
    (root / ".dvc/cache").symlink_to(finished.root / ".dvc/cache")
    return Colleague(clone, dvc)


@contextlib.contextmanager
def ssh(root, pusher):
    with servers.ssh_remote(root) as remote, hosts.line(remote.port) as line:
        url, key = remote.url.replace(f":{remote.port}/", f":{line.port}/"), f"{remote.keys}/user"
        values = {"ssh://me@server.example.org:22/srv/cifar10": url, "/home/me/.ssh/id_ed25519": key}
        pusher.follow(documented("SSH"), values)
        pusher.clone.commit("Name the remote")
        files = fsspec.filesystem("file", auto_mkdir=True)
        stranger, reader = f"{remote.keys}/stranger", (key, f"{remote.keys}/reader")
        yield Storage(pusher, line, files, str(remote.folder), key, stranger, reader)


@contextlib.contextmanager
def s3(root, pusher):
    with servers.s3_remote(root) as bucket, hosts.line(bucket.port) as line:
        key, secret = bucket.writer
        values = {
            "s3://our-bucket/cifar10": f"s3://{bucket.name}/cifar10",
            "https://s3.example.org:9000": f"http://127.0.0.1:{line.port}",
            "OUR-KEY-ID": key,
            "OUR-SECRET-KEY": secret,
        }
        pusher.follow(documented("MinIO, SeaweedFS and other S3 servers"), values)
        pusher.clone.commit("Name the remote")
        reader = ("writer", "reader")  # both in the key ID and in the secret
        there = f"{bucket.name}/cifar10"
        yield Storage(pusher, line, bucket.connect(), there, secret, "another-secret", reader)


@contextlib.contextmanager
def folder(root, pusher):
    pusher.follow(documented("Shared folder"), {"/mnt/team/cifar10": f"{root}/files"})
    pusher.clone.commit("Name the remote")
    (pusher.root / ".dvc/config.local").touch()
    yield Storage(pusher, None, fsspec.filesystem("file", auto_mkdir=True), f"{root}/files", "", "", ("", ""))


@contextlib.contextmanager
def http(root, pusher):
    """Yield a remote that is a folder for the pusher and an HTTP server with a password for others."""
    pusher.follow(documented("Shared folder"), {"/mnt/team/cifar10": f"{root}/files"})
    pusher.run("dvc", "push", *MODEL)  # to the folder
    password = secrets.token_hex(8)  # occurs in no file of the repository
    with hosts.folder(root / "files", login=f"me:{password}") as port, hosts.line(port) as line:
        values = {"https://models.example.org/cifar10": f"http://127.0.0.1:{line.port}"}
        lines = [*documented("Public models over HTTP"), "dvc remote default public"]
        pusher.follow(lines, values | {"OUR-PASSWORD": password})
        pusher.clone.commit("Name the remotes")
        files = fsspec.filesystem("file", auto_mkdir=True)
        yield Storage(pusher, line, files, f"{root}/files", password, "no-password", ("", ""))
