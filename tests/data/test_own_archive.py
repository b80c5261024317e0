import hashlib
from pathlib import Path

import pytest

from cifar10 import files, paths
from cifar10.data import own_archive
from cifar10.errors import UserError

URL = "https://example.org/cifar-10-python.tar.gz"


@pytest.fixture(autouse=True)
def there(tmp_path, monkeypatch):
    """Describe an archive of the bytes `there` in data/raw."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CIFAR10_ARCHIVE", raising=False)
    sha256 = hashlib.sha256(b"there").hexdigest()
    files.write_json(paths.SOURCE, {"source": "cifar10", "sha256": sha256})
    return sha256


def write(name, content):
    Path(name).write_bytes(content)
    return name


def test_content_decides_not_the_name():
    assert not own_archive.is_new(write("a.tar.gz", b"there"))
    assert own_archive.is_new(write("b.tar.gz", b"another"))
    assert own_archive.is_new(write("a.tar.gz", b"changed"))
    assert own_archive.is_new("nowhere.tar.gz")
    assert own_archive.is_new(".")


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write("own.tar.gz", b"there")
    assert not own_archive.is_new("~/own.tar.gz")


def test_a_url_is_new_until_its_archive_lies_there(there):
    assert own_archive.is_new(URL)
    own_archive.record(URL, there)
    assert not own_archive.is_new(URL)
    assert own_archive.is_new(f"{URL}?version=2")
    files.write_json(paths.SOURCE, {"source": "cifar10", "sha256": "f" * 64})
    assert own_archive.is_new(URL)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"source": "digits"}'])
def test_without_an_archive_in_place_the_stage_is_stale_anyway(content):
    paths.SOURCE.write_text(content)
    assert not own_archive.is_new("nowhere.tar.gz")
    paths.SOURCE.unlink()
    assert not own_archive.is_new(URL)


def test_another_one_is_refused_with_what_is_there_now(there, monkeypatch):
    own_archive.check("cifar10")
    monkeypatch.setenv("CIFAR10_ARCHIVE", write("a.tar.gz", b"there"))
    own_archive.check("cifar10")
    monkeypatch.setenv("CIFAR10_ARCHIVE", write("b\n.tar.gz", b"another"))
    with pytest.raises(UserError) as error:
        own_archive.check("cifar10")
    assert str(error.value) == (
        rf"CIFAR10_ARCHIVE: b\n.tar.gz is not the archive in data/raw (SHA-256 {there}): take it with "
        "`dvc repro --force download` or `make repro`, or unset CIFAR10_ARCHIVE"
    )


@pytest.mark.parametrize("source", ["digits", "folder"])
def test_other_sources_say_that_they_do_not_use_it(source, monkeypatch, capsys):
    assert own_archive.given(source) == ""
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("CIFAR10_ARCHIVE", "nowhere.tar.gz")
    own_archive.check(source)
    assert f"CIFAR10_ARCHIVE is not used: data.source in params.yaml is {source}" in capsys.readouterr().err
