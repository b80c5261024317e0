"""Folders and URLs of published models, and what is wrong with them."""

import shutil

import pytest

from cifar10.errors import UserError
from cifar10.predict import model_folder
from tests import hosts
from tests.predict.test_cli import ASTRONAUT, COMMAND

FILES = [f"{name}.seed_{seed}.{kind}" for name in ("a", "b") for seed in (0, 1) for kind in ("h5", "ood.npz")]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The user's folder for caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    """A published folder; the models are no models."""
    found = tmp_path / "published"
    found.mkdir()
    for name in (*FILES, "params.yaml", "README.md"):
        (found / name).write_text(f"content of {name}")
    write_sums(found)
    return found


def write_sums(folder):
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{model_folder.sha256(folder / name)}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines))


def check(text, names=("a", "b"), models=()):
    found = model_folder.find(str(text), models)
    found.check(names, (0, 1))
    return found


def test_a_checkout_its_models_and_a_published_folder_are_told_apart(folder, tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    (root / "models/a").mkdir(parents=True)
    (root / "params.yaml").touch()
    for name in ("checkout", "checkout/models", "checkout/models/"):
        found = model_folder.find(str(tmp_path / name))
        assert (found.params, found.model("a", 1)) == (root / "params.yaml", root / "models/a/seed_1.h5")
    found = check(folder)
    assert (found.params, found.ood_detector("a", 1)) == (folder / "params.yaml", folder / "a.seed_1.ood.npz")
    monkeypatch.chdir(root / "models")
    assert model_folder.find(".").params == root / "params.yaml"
    monkeypatch.chdir(root)
    assert [model_folder.find(name).here for name in (".", "models", str(folder))] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", "expected a folder or an http(s) URL, found nothing there"),
        ("published/README.md", "expected a folder or an http(s) URL, found a file"),
        ("empty/inside", "found no params.yaml in or beside it"),
    ],
)
def test_what_is_no_folder_of_models_is_one_line(folder, tmp_path, name, words):
    (tmp_path / "empty/inside").mkdir(parents=True)
    with pytest.raises(UserError) as error:
        model_folder.find(str(tmp_path / name))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_damaged_a_missing_and_an_unlisted_file_are_named(folder):
    check(folder)
    (folder / "b.seed_1.h5").write_text("damaged")
    with pytest.raises(UserError, match=r"b\.seed_1\.h5 does not have the SHA-256 of SHA256SUMS: fetch all"):
        check(folder)
    check(folder, names=["a"])
    (folder / "b.seed_1.h5").unlink()
    with pytest.raises(UserError, match=r"b\.seed_1\.h5 not found: fetch all files of SHA256SUMS again"):
        check(folder)
    write_sums(folder)
    (folder / "b.seed_1.h5").write_text("unlisted")
    with pytest.raises(UserError, match=r"SHA256SUMS does not list b\.seed_1\.h5"):
        check(folder)


@pytest.mark.parametrize("name", ["../evil.h5", "/etc/evil.h5", "a\\b.h5", ".hidden", "a b", ""])
def test_a_name_that_could_leave_the_folder_is_refused(name):
    good = f"{'0' * 64}  a.h5\n"
    assert model_folder.parse_sums(good.encode(), "x") == {"a.h5": "0" * 64}
    with pytest.raises(UserError, match="expected lines of a SHA-256 and a file name"):
        model_folder.parse_sums(f"{good}{'0' * 64}  {name}\n".encode(), "x")


def test_a_url_is_downloaded_once_and_answers_without_a_network(folder, cache, capsys):
    with hosts.folder(folder) as port:
        url = f"http://127.0.0.1:{port}"
        one = check(url, ["a"], models=["a"])
        fetched = {path.name for path in one.root.iterdir()}
        assert fetched == {"params.yaml", "SHA256SUMS", *(name for name in FILES if name.startswith("a."))}
        assert one.root.is_relative_to(cache)
        assert check(f"{url}/") == one
        for name in FILES:
            assert (one.root / name).read_bytes() == (folder / name).read_bytes()
        before = (one.root / "a.seed_0.h5").stat().st_mtime_ns
        (folder / "b.seed_0.h5").write_text("published anew")
        write_sums(folder)
        check(url)
        assert (one.root / "b.seed_0.h5").read_text() == "published anew"
        assert (one.root / "a.seed_0.h5").stat().st_mtime_ns == before
    assert check(url) == one
    assert "no connection to the server; the models of the last download answer" in capsys.readouterr().err


def test_a_server_without_models_or_with_damaged_ones_is_one_line(folder, tmp_path):
    (tmp_path / "other").mkdir()
    with hosts.folder(tmp_path) as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(UserError, match=r"other/SHA256SUMS: the server answers 404 "):
            check(f"{url}/other")
        (folder / "a.seed_0.h5").write_text("damaged")
        with pytest.raises(UserError, match=r"a\.seed_0\.h5 does not have the SHA-256 of SHA256SUMS"):
            check(f"{url}/published")
        (folder / "a.seed_0.h5").unlink()
        with pytest.raises(UserError, match=r"a\.seed_0\.h5: the server answers 404 "):
            check(f"{url}/published")
        (folder / "SHA256SUMS").write_text("<html>\n")
        with pytest.raises(UserError, match="expected lines of a SHA-256"):
            check(f"{url}/published")
        (folder / "SHA256SUMS").write_text("0" * 1_000_001)
        with pytest.raises(UserError, match="expected at most 1,000,000 bytes"):
            check(f"{url}/published")
    with pytest.raises(UserError, match=r"SHA256SUMS: no connection to the server"):
        check(f"{url}/published")
    with pytest.raises(UserError, match=r"SHA256SUMS: "):
        check("http://")


def publish(finished, target, *options, expect=0):
    """Run `make publish`; the environment of the tests replaces .venv."""
    return finished.run(
        "make",
        "-s",
        "--no-print-directory",
        "-o",
        ".venv/run.done",
        "publish",
        f"TO={target}",
        *options,
        expect=expect,
    )


def test_what_is_published_is_a_part_of_the_checkout_and_answers_the_same(finished, tmp_path):
    target = tmp_path / "public"
    publish(finished, target, "MODELS=model_1", "SEEDS=1")
    training = ["model_1.seed_1.h5", "model_1.seed_1.ood.npz"]
    names = ["README.md", "SHA256SUMS", "about.json", *training, "params.yaml"]
    assert sorted(path.name for path in target.iterdir()) == names
    for name in training:
        inside = finished.root / "models/model_1" / name.removeprefix("model_1.")
        assert (target / name).read_bytes() == inside.read_bytes()
    there = finished.run(*COMMAND, ASTRONAUT, "--json", "--models", str(target))
    assert there == finished.run(*COMMAND, ASTRONAUT, "--json", "--model", "model_1", "--seed", "1")
    assert "found other files" in publish(finished, tmp_path, expect=2)
    publish(finished, target, "SEEDS=0", "MODELS=model_0 model_2")
    assert len([*target.glob("*.h5")]) == 2
    assert not [*tmp_path.glob(".*")]
    assert "expected one of 0, 1" in publish(finished, target, "SEEDS=7", expect=2)
    assert len([*target.glob("*.h5")]) == 2


def test_models_that_no_longer_fit_are_not_published(workspace, tmp_path):
    workspace.edit_model("model_1", "units: 200", "units: 199")
    printed = publish(workspace, tmp_path / "public", expect=2)
    refused = "error: the models no longer fit models.model_1 in params.yaml: run `make repro` first\n"
    assert printed.startswith(refused)
    shutil.rmtree(workspace.root / "models/model_2")
    assert "models/model_2/seed_0.h5 not found: run `make pull`" in publish(
        workspace, tmp_path / "public", expect=2
    )
    assert [*tmp_path.glob("public*")] == []


def test_outside_a_checkout_the_message_names_the_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="name a folder or URL of trained models with --models"):
        model_folder.find(None).load_params()
