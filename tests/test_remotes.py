"""Push and pull through real servers on 127.0.0.1, and the files left after failures."""

import contextlib
import functools
import hashlib
import json
import os
import shutil

import numpy as np
import pytest
from dvc.repo import Repo
from PIL import Image

from scripts import pull
from tests import storages
from tests.conftest import digests
from tests.storages import MODEL, folder, http, recorded, s3, ssh, train_anew

PULL = ["python", "scripts/pull.py"]


@pytest.fixture(scope="module")
def opened(finished, dvc, module_path):
    """A function that returns the storage of a kind: one server of each, with one model in it."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def opened(kind):
            root = module_path / kind.__name__
            root.mkdir()
            pusher = storages.make_pusher(finished, dvc, root / "pusher")
            found = stack.enter_context(kind(root, pusher))
            if kind is not http:
                pusher.run("dvc", "push", *MODEL)
            return found

        yield opened


@pytest.fixture(params=[ssh, s3, http], ids=lambda kind: kind.__name__)
def storage(request, opened):
    return opened(request.param)


@pytest.fixture
def colleague(storage):
    """The one clone of a colleague, for tests that change nothing in it or go on with what it pulled."""
    root = storage.pusher.root.with_name("colleague")
    return storage.at(root) if root.exists() else storage.colleague(root)


@pytest.mark.parametrize("storage", [folder], indirect=True, ids=["folder"])
def test_a_colleague_pulls_a_model_and_nothing_else_and_classifies_with_it(colleague, finished, tmp_path):
    before = colleague.files()
    colleague.run("dvc", "pull", *MODEL)
    assert new_files(colleague, before) == digests(finished.root, *MODEL)
    images = np.load(finished.root / "data/processed/test/images.npy")
    Image.fromarray(images[0]).save(tmp_path / "image.png")
    command = ["python", "-m", "cifar10.predict", "--model=model_0", "--seed=0", "--json"]
    command.append(str(tmp_path / "image.png"))
    (image,) = json.loads(colleague.clone.run(*command))["images"]
    line = (finished.root / "reports/predictions/model_0/seed_0.csv").read_text().splitlines()[1]
    probabilities = image["answers"]["model_0"]["probabilities"]
    assert max(probabilities, key=probabilities.get) == line.split(",")[1]


def new_files(colleague, before):
    return {name: digest for name, digest in colleague.files().items() if name not in before}


def test_nothing_secret_is_committed(storage):
    assert storage.secret in storage.local
    clone = storage.pusher.clone
    clone.run("git", "check-ignore", "--quiet", ".dvc/config.local")
    clone.run("git", "add", "--all")
    assert clone.run("git", "diff", "--cached") == ""
    assert storage.secret not in clone.run("git", "log", "--patch", "one-seed..")


def test_a_stranger_gets_nothing(storage, colleague):
    with colleague.local(storage.local.replace(storage.secret, storage.wrong)):
        colleague.fails(*PULL, *MODEL)


def test_without_a_server_nothing_changes(storage, colleague):
    storage.line.cut()
    try:
        colleague.fails(*PULL, *MODEL)
    finally:
        storage.line.restore()


def test_a_server_that_is_gone_in_the_middle_leaves_no_part_and_the_next_pull_completes(
    storage, colleague, finished
):
    before = colleague.files()
    storage.line.cut_after(down=200_000)
    try:
        colleague.fails("dvc", "pull", "models/model_0/seed_0.h5")
    finally:
        storage.line.restore()
    colleague.run("dvc", "pull", *MODEL)
    # the same files of each kind of storage, and nothing else
    assert new_files(colleague, before) == digests(finished.root, *MODEL)


# DVC compares hashes in the same way for every kind of storage, so two stand for all
@pytest.mark.parametrize(
    ("storage", "damage"), [(s3, "cut off"), (folder, "one bit")], indirect=["storage"], ids=["s3", "folder"]
)
def test_what_the_server_lost_or_damaged_does_not_replace_an_older_model(
    storage, colleague, damage, finished
):
    if not (colleague.root / MODEL[0]).exists():  # no test before this one has pulled it
        colleague.run(*PULL, *MODEL)
    train_anew(colleague.root / "dvc.lock")
    path = storage.object("models/model_2/seed_0.h5")
    assert not storage.files.exists(path)
    if storage.line:  # of a folder, tests below show it
        colleague.fails(*PULL, *MODEL)
    right = (finished.root / "models/model_2/seed_0.h5").read_bytes()
    damaged = right[:100_000] if damage == "cut off" else right[:-1] + bytes([right[-1] ^ 1])
    try:
        storage.files.pipe_file(path, damaged)
        colleague.fails(*PULL, *MODEL)
        storage.files.pipe_file(path, right)
        colleague.run(*PULL, *MODEL)
        assert (colleague.root / "models/model_0/seed_0.h5").read_bytes() == right
    finally:
        storage.files.rm_file(path)


def test_who_may_only_read_cannot_push(storage):
    with storage.pusher.local(storage.local.replace(*storage.reader)):
        storage.pusher.fails("dvc", "push", "models/model_1/seed_0.h5")
    assert not storage.files.exists(storage.object("models/model_1/seed_0.h5"))


@pytest.mark.parametrize("storage", [ssh, s3], indirect=True, ids=lambda kind: kind.__name__)
def test_a_push_that_breaks_off_is_completed_by_the_next(storage):
    storage.line.cut_after(up=200_000)
    try:
        storage.pusher.fails("dvc", "push", "models/model_1/seed_0.h5")
    finally:
        storage.line.restore()
    storage.pusher.run("dvc", "push", "models/model_1/seed_0.h5")
    assert storage.holds("models/model_1/seed_0.h5")


@pytest.mark.parametrize("storage", [folder], indirect=True, ids=["folder"])
def test_a_folder_such_as_models_stands_for_the_outputs_in_it(storage, finished, tmp_path):
    colleague = storage.colleague(tmp_path / "clone")
    assert "does not exist as an output" in colleague.fails("dvc", "pull", "models")
    colleague.fails(*PULL, "cifar10", words=["error: cifar10: expected an output of dvc.yaml or"])
    words = [
        "error: missing or corrupt on",
        "no file was changed",
        "\n  data/processed: recorded by tester, 20",
        "\n  models/model_1/seed_0.h5: recorded by tester, 20",
    ]
    colleague.fails(*PULL, "data/processed", "models", words=words)
    models = digests(finished.root, "models/*/seed_0.h5", "models/*/seed_0.ood.npz")
    storage.pusher.run("dvc", "push", *models)
    colleague.run(*PULL)
    assert digests(colleague.root, "models/*/*") == models
    assert not (colleague.root / "data/processed").exists()


@pytest.mark.parametrize("storage", [folder], indirect=True, ids=["folder"])
def test_a_file_that_is_missing_in_a_folder_is_named(storage, finished, tmp_path, monkeypatch):
    colleague = storage.colleague(tmp_path / "clone")
    listed = recorded(colleague.root, "data/processed")["md5"]
    cache = colleague.root / ".dvc/cache/files/md5"
    shutil.copytree(finished.root / ".dvc/cache/files/md5", cache, copy_function=os.link)
    labels, images = (f"data/processed/test/{name}.npy" for name in ("labels", "images"))
    gone = hashlib.md5((finished.root / images).read_bytes()).hexdigest()
    (cache / gone[:2] / gone[2:]).unlink()
    monkeypatch.chdir(colleague.root)
    with Repo() as repo:
        for target in ("data/processed", "data/processed/test", images):
            assert pull.missing(repo, [target]) == {images: listed}
        assert pull.missing(repo, [labels, "models/model_0/seed_0.h5", "reports/metrics/model_0.json"]) == {}


@pytest.mark.parametrize("storage", [folder], indirect=True, ids=["folder"])
def test_a_full_disk_changes_nothing_and_the_next_push_and_pull_complete(storage, colleague, tmp_path):
    path = storage.object("models/model_1/seed_0.h5")
    if storage.files.exists(path):
        storage.files.rm_file(path)
    full = ["python", str(tmp_path / "full.py")]  # no file may become larger than 0.3 MB
    (tmp_path / "full.py").write_text(
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "from dvc.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    storage.pusher.fails(*full, "push", "models/model_1/seed_0.h5")
    assert not storage.files.exists(path)
    storage.pusher.run("dvc", "push", "models/model_1/seed_0.h5")
    assert storage.holds("models/model_1/seed_0.h5")
    colleague.fails(*full, "pull", "models/model_1/seed_0.h5")
    colleague.run("dvc", "pull", "models/model_1/seed_0.h5")
