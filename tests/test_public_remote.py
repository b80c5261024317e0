"""The workflow `remote`, run here in a fresh clone: green if the public remote is complete, red otherwise."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import documents, hosts
from tests.conftest import Clone, lend_environment
from tests.storages import documented, make_pusher, recorded

WORKFLOW = Path(".github/workflows/remote.yml")
GONE = "models/model_2/seed_0.h5"
OWNER, VISITOR = (
    block.text
    for block in documents.blocks(Path("docs/publish.md"))
    if block.section == "A public DVC remote"
)


@pytest.fixture
def steps():
    """The job's commands by the name of their step, without the installation; and its environment."""
    content = yaml.safe_load(WORKFLOW.read_text())
    assert {"push", "schedule", "workflow_dispatch"} == set(content[True])
    (job,) = content["jobs"].values()
    found = {step["name"]: step["run"] for step in job["steps"] if "run" in step}
    assert found.pop("Install the pinned versions") == "make install"
    return found, job["env"]


@pytest.fixture
def public(finished, dvc, tmp_path):
    """The owner's clone, the folder of the remote, and the URL of a server that serves it, as documented."""
    pusher = make_pusher(finished, dvc, tmp_path / "pusher")
    pusher.follow(documented("Shared folder"), {"/mnt/team/cifar10": f"{tmp_path}/files"})
    pusher.clone.commit("Name the remote")
    with hosts.folder(tmp_path / "files") as port:
        url = f"http://127.0.0.1:{port}"
        pusher.clone.run("bash", "-ec", OWNER.replace("https://models.example.org/cifar10", url))
        yield pusher.root, tmp_path / "files", url


def models(clone):
    """List the files of the models with seed 0, which the owner has."""
    found = [*clone.root.glob("models/*/seed_0.h5"), *clone.root.glob("models/*/seed_0.ood.npz")]
    return [path.relative_to(clone.root) for path in found]


def test_a_missing_object_makes_the_workflow_red(public, steps, finished, tmp_path):
    owner, folder, url = public
    commands, given = steps
    subprocess.run(["git", "clone", "--quiet", owner, tmp_path / "visitor"], check=True)
    visitor = Clone(tmp_path / "visitor")
    lend_environment(visitor.root)
    assert VISITOR.splitlines()[1:] == ["make pull", "make app"]
    visitor.run("make", "pull")
    for path in models(finished):
        assert (visitor.root / path).read_bytes() == (finished.root / path).read_bytes()
    environment = given | {"DVC_PUBLIC_URL": url, "RUNNER_TEMP": str(tmp_path)}

    def run(name, expect=0):
        shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", commands[name])  # as GitHub
        return visitor.run(*shell, expect=expect, **environment)

    run("Name the remote")
    run("Pull as a visitor")
    assert "are in sync" in run("Look for every object")
    listed = (tmp_path / "objects").read_text().splitlines()
    assert sorted(listed) == sorted(str(path) for path in models(finished))

    md5 = recorded(finished.root, GONE)["md5"]
    (folder / "files/md5" / md5[:2] / md5[2:]).unlink()
    assert re.search(rf"new: +{GONE}", run("Look for every object", expect=123))
    subprocess.run(["rm", "-r", visitor.root / ".dvc/cache", visitor.root / "models/model_2"], check=True)
    printed = run("Pull as a visitor", expect=2)
    assert f"{GONE}: recorded by tester" in printed
    assert not (visitor.root / GONE).exists()
