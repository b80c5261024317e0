"""Another CIFAR10_ARCHIVE is noticed by its content; DVC does not see the variable."""

from pathlib import Path

import pytest
import yaml

from cifar10 import params, paths
from cifar10.data import own_archive, preparation, sources
from cifar10.errors import UserError
from tests import archives

PARAMS = yaml.safe_load(Path("params.yaml").read_text())
FIRST, SECOND = archives.small(), archives.small(21)


def data(source="cifar10"):
    return chosen(source).data


def chosen(source="cifar10"):
    return params.Params.model_validate(PARAMS | {"data": PARAMS["data"] | {"source": source}})


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(own_archive.VARIABLE, raising=False)
    archives.write(paths.ARCHIVE, FIRST)


def name(monkeypatch, own):
    monkeypatch.setenv(own_archive.VARIABLE, str(own))


def test_without_the_variable_nothing_is_done(monkeypatch):
    assert preparation.needs_download(chosen()) is False
    name(monkeypatch, "")
    assert preparation.needs_download(chosen()) is False
    assert sources.load(data()).class_names == archives.NAMES


def test_only_other_content_is_taken(monkeypatch):
    archives.write(Path("same.tar.gz"), FIRST)
    archives.write(Path("other.tar.gz"), SECOND)
    archives.write(Path("as_long.tar.gz"), FIRST[:-1] + bytes([FIRST[-1] ^ 1]))
    for own, expected in (("same", False), ("other", True), ("as_long", True)):
        name(monkeypatch, f"{own}.tar.gz")
        assert preparation.needs_download(chosen()) is expected
    paths.ARCHIVE.unlink()
    assert preparation.needs_download(chosen()) is True


def test_an_archive_in_the_home_folder_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    archives.write(tmp_path / "mine.tar.gz", FIRST)
    name(monkeypatch, "~/mine.tar.gz")
    assert preparation.needs_download(chosen()) is False


@pytest.mark.parametrize("own", ["missing.tar.gz", ".", "mi\nssing"])
def test_a_missing_archive_is_refused_with_what_is_there(monkeypatch, own):
    name(monkeypatch, own)
    with pytest.raises(
        UserError, match=r"CIFAR10_ARCHIVE: .* is not a file; .*data/raw has an archive"
    ) as one:
        preparation.needs_download(chosen())
    assert "\n" not in str(one.value)
    paths.ARCHIVE.unlink()
    with pytest.raises(UserError, match="data/raw has no archive: correct CIFAR10_ARCHIVE or unset it"):
        preparation.needs_download(chosen())


def test_preprocess_refuses_what_download_did_not_take(monkeypatch):
    name(monkeypatch, archives.write(Path("other.tar.gz"), SECOND))
    with pytest.raises(UserError, match=r"another archive than the one in data/raw.*--single-item download"):
        sources.load(data())


def test_a_url_is_taken_once(monkeypatch):
    url = "https://example.org/a.tar.gz"
    name(monkeypatch, url)
    assert preparation.needs_download(chosen()) is True
    own_archive.record(url)
    assert preparation.needs_download(chosen()) is False
    name(monkeypatch, f"{url}?2")
    assert preparation.needs_download(chosen()) is True
    name(monkeypatch, url)
    archives.write(paths.ARCHIVE, SECOND)
    assert preparation.needs_download(chosen()) is True


def test_with_another_source_a_note_says_that_it_is_not_used(monkeypatch, capsys):
    name(monkeypatch, "missing.tar.gz")
    assert preparation.needs_download(chosen("digits")) is False
    assert "note: CIFAR10_ARCHIVE is not used: data.source is digits" in capsys.readouterr().err
