"""Options, secrets and models without a clone, as described in docs/remotes.md."""

import re
import subprocess
from pathlib import Path

import pytest

from tests import hosts
from tests.conftest import ENVIRONMENT, WARM, Clone
from tests.storages import DOCS, MODEL, Colleague, documented, make_pusher

SECTION = "A model without the repository"


@pytest.fixture(scope="module")
def published(finished, dvc, module_path):
    """A bare repository with public models over HTTP, and the served folder.

    It has one commit: DVC copies the whole history of a repository without a clone.
    """
    pusher = make_pusher(finished, dvc, module_path / "pusher")
    pusher.follow(documented("Shared folder"), {"/mnt/team/cifar10": f"{module_path}/files"})
    pusher.run("dvc", "push", *MODEL)
    with hosts.folder(module_path / "files") as port:
        lines = [*documented("Public models over HTTP")[:2], "dvc remote default public"]
        pusher.follow(lines, {"https://models.example.org/cifar10": f"http://127.0.0.1:{port}"})
        pusher.clone.run("git", "checkout", "--quiet", "--orphan", "published")
        pusher.clone.commit("Name the remotes")
        alone = ["--bare", "--no-local", "--single-branch", "--no-tags"]
        subprocess.run(["git", "clone", "--quiet", *alone, pusher.root, module_path / "bare.git"], check=True)
        pusher.clone.run("git", "remote", "set-url", "origin", str(module_path / "bare.git"))
        yield pusher


def outside(published, elsewhere, line):
    """Run a documented command outside of a repository; return its exit code and output."""
    address = f"file://{published.root.parent}/bare.git"
    line = line.replace("https://git.example.org/team/cifar10.git", address)
    environment = ENVIRONMENT | WARM | {"DVC_NO_ANALYTICS": "1"}  # as .dvc/config says in a clone
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=elsewhere,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_model_comes_without_a_clone_and_the_line_that_compares_finds_damage(published, finished, tmp_path):
    for line in documented(SECTION, ("gto ", "git ")):
        published.clone.run(*line.split())
    get, compare, *versions = documented(SECTION)
    lists, checks = compare.split(" | ")
    for line in (get, f"{lists} > {tmp_path}/listed", *versions):
        code, printed = outside(published, tmp_path, line)
        assert code == 0, printed
    right = (finished.root / "models/model_0/seed_0.h5").read_bytes()
    found = {path.name: path.read_bytes() == right for path in tmp_path.glob("*.h5")}
    assert found == {"seed_0.h5": True, "newest.h5": True, "first.h5": True}
    for content, expected, said in ((right, 0, "OK"), (right[:-1], 1, "FAILED")):
        (tmp_path / "seed_0.h5").write_bytes(content)
        code, printed = outside(published, tmp_path, f"{checks} < listed")
        assert code == expected
        assert f"seed_0.h5: {said}" in printed


OPTION = re.compile(r"dvc remote modify (?P<local>--local )?(?P<name>\w+) (?P<option>\w+) (?P<value>\S+)$")
SECRETS = {"access_key_id", "account_key", "client_secret", "connection_string", "credentialpath", "keyfile"}
SECRETS |= {"passphrase", "password", "sas_token", "secret_access_key", "session_token", "token"}
SECTIONS = re.findall("^## (.*)\n+```bash\npip", DOCS.read_text(), re.MULTILINE)
SECTIONS += ["Shared folder", "Public models over HTTP"]


@pytest.fixture
def repository(dvc, tmp_path):
    """An empty repository with the project's configuration of DVC."""
    found = Colleague(Clone(tmp_path), dvc)
    (tmp_path / ".dvc").mkdir()
    for name in (".dvc/config", ".dvc/.gitignore"):
        (tmp_path / name).write_text(Path(name).read_text())
    found.clone.run("git", "init", "--quiet")
    return found


@pytest.mark.parametrize("section", SECTIONS)
def test_dvc_takes_every_option_that_the_page_names_and_commits_no_secret(section, repository):
    lines = documented(section)
    repository.follow(lines, {})
    listed = repository.run("dvc", "config", "--list").lower().splitlines()
    repository.clone.run("git", "add", "--all")
    staged = repository.clone.run("git", "diff", "--cached")
    for found in filter(None, map(OPTION.match, lines)):
        assert f"remote.{found['name']}.{found['option']}={found['value']}".lower() in listed
        assert bool(found["local"]) == (f"{found['option']} = {found['value']}" not in staged)
        assert found["local"] or found["option"] not in SECRETS


def test_dvc_refuses_an_option_that_it_does_not_know(repository, dvc):
    code, printed = dvc.run(repository.root, "dvc", "remote", "modify", "storage", "no_such_option", "x")
    assert code > 0
    assert "no_such_option" in printed
