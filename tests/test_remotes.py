"""Push and pull through real servers on 127.0.0.1, and the files left after failures."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from dvc.repo import Repo
from PIL import Image

from scripts import pull
from tests import storages
from tests.conftest import digests
from tests.storages import MODEL, folder, http, recorded, s3, ssh, train_anew

PULL = ["python", "scripts/pull.py"]


@pytest.fixture(scope="module", params=[ssh, s3, http], ids=lambda kind: kind.__name__)
def storage(request, finished, dvc, module_path):
    root = Path(tempfile.mkdtemp(prefix=f"{request.param.__name__}-", dir=module_path))
    pusher = storages.make_pusher(finished, dvc, root / "pusher")
    with request.param(root, pusher) as found:
        if request.param is not http:
            pusher.run("dvc", "push", *MODEL)
        yield found


@pytest.mark.parametrize("storage", [folder], indirect=True, ids=["folder"])
def test_a_colleague_pulls_a_model_and_nothing_else_and_classifies_with_it(storage, finished, tmp_path):
    colleague = storage.colleague(tmp_path / "clone")
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


def test_a_stranger_gets_nothing(storage, tmp_path):
    stranger = storage.colleague(tmp_path / "clone", storage.local.replace(storage.secret, storage.wrong))
    stranger.fails(*PULL, *MODEL)


def test_without_a_server_nothing_changes(storage, tmp_path):
    colleague = storage.colleague(tmp_path / "clone")
    storage.line.cut()
    try:
        colleague.fails(*PULL, *MODEL)
    finally:
        storage.line.restore()


def test_a_server_that_is_gone_in_the_middle_leaves_no_part_and_the_next_pull_completes(
    storage, finished, tmp_path
):
    colleague = storage.colleague(tmp_path / "clone")
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
def test_what_the_server_lost_or_damaged_does_not_replace_an_older_model(storage, damage, finished, tmp_path):
    colleague = storage.colleague(tmp_path / "clone")
    colleague.run(*PULL, *MODEL)
    train_anew(colleague.root / "dvc.lock")
    path = storage.object("models/model_2/seed_0.h5")
    assert not storage.files.exists(path)
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


def test_who_may_only_read_cannot_push(storage, tmp_path):
    reader = storage.writer(tmp_path / "clone", storage.local.replace(*storage.reader))
    reader.fails("dvc", "push", "models/model_1/seed_0.h5")
    assert not storage.files.exists(storage.object("models/model_1/seed_0.h5"))


@pytest.mark.parametrize("storage", [ssh, s3], indirect=True, ids=lambda kind: kind.__name__)
def test_a_push_that_breaks_off_is_completed_by_the_next(storage, tmp_path):
    writer = storage.writer(tmp_path / "clone")
    storage.line.cut_after(up=200_000)
    try:
        writer.fails("dvc", "push", "models/model_1/seed_0.h5")
    finally:
        storage.line.restore()
    writer.run("dvc", "push", "models/model_1/seed_0.h5")
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
    shutil.copytree(finished.root / ".dvc/cache/files/md5", cache)
    labels, images = (f"data/processed/test/{name}.npy" for name in ("labels", "images"))
    gone = hashlib.md5((finished.root / images).read_bytes()).hexdigest()
    (cache / gone[:2] / gone[2:]).unlink()
    monkeypatch.chdir(colleague.root)
    with Repo() as repo:
        for target in ("data/processed", "data/processed/test", images):
            assert pull.missing(repo, [target]) == {images: listed}
        assert pull.missing(repo, [labels, "models/model_0/seed_0.h5", "reports/metrics/model_0.json"]) == {}


@pytest.mark.parametrize("storage", [folder], indirect=True, ids=["folder"])
def test_a_full_disk_changes_nothing_and_the_next_push_and_pull_complete(storage, tmp_path):
    writer, reader = storage.writer(tmp_path / "writer"), storage.colleague(tmp_path / "reader")
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
    writer.fails(*full, "push", "models/model_1/seed_0.h5")
    assert not storage.files.exists(path)
    writer.run("dvc", "push", "models/model_1/seed_0.h5")
    assert storage.holds("models/model_1/seed_0.h5")
    reader.fails(*full, "pull", "models/model_1/seed_0.h5")
    reader.run("dvc", "pull", "models/model_1/seed_0.h5")
