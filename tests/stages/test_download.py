import hashlib
import json
import re
import signal
import time
from functools import partial

import pytest

from tests import archives, scratch
from tests.conftest import WARM
from tests.data.test_archive import BATCH
from tests.hosts import Host, closed, serving

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("dvc")]  # starts the server of warm programs

SMALL = archives.small()
OTHER = archives.small(21)
SHA256 = hashlib.sha256(SMALL).hexdigest()

run = partial(scratch.run, "download")


@pytest.fixture
def folder(tmp_path):
    set_mirrors(tmp_path, [closed()])
    return tmp_path


def set_mirrors(folder, mirrors):
    scratch.write_params(folder, cifar10={"mirrors": mirrors, "sha256": SHA256, "window": 0.5})


def archive_of(folder):
    return folder / "data" / "raw" / "cifar-10-python.tar.gz"


def facts_of(folder):
    return json.loads((folder / "data" / "raw" / "source.json").read_text())


def content_of(folder):
    return {path.name: path.read_bytes() for path in (folder / "data" / "raw").iterdir()}


def facts(content):
    digest = hashlib.sha256(content).hexdigest()
    return {
        "source": "cifar10",
        "file": "cifar-10-python.tar.gz",
        "bytes": len(content),
        "sha256": digest,
        "official": content == SMALL,
    }


def test_the_archive_is_fetched_once(folder):
    bad, good = Host(OTHER), Host(SMALL)
    with serving(bad, good) as urls:
        set_mirrors(folder, urls)
        first = run(folder)
        before = content_of(folder)
        second = run(folder)
    assert first.returncode == second.returncode == 0, first.stderr
    assert "served other bytes" in first.stderr
    assert facts_of(folder) == facts(SMALL)
    assert archive_of(folder).read_bytes() == SMALL
    assert before.keys() == {"cifar-10-python.tar.gz", "source.json"}
    assert content_of(folder) == before
    assert len(good.asked) == 1
    assert not list((folder / "data").rglob("*.part"))


def test_another_archive_that_lies_there_is_replaced(folder):
    archives.write(archive_of(folder), OTHER)
    with serving(Host(SMALL)) as urls:
        set_mirrors(folder, urls)
        assert run(folder).returncode == 0
    assert archive_of(folder).read_bytes() == SMALL


def test_without_a_mirror_the_error_names_three_ways_on(folder):
    archives.write(archive_of(folder), OTHER)
    result = run(folder)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.count("error: ") == 1
    error = result.stderr[result.stderr.index("error: ") :]
    for part in ("Connection refused", "CIFAR10_ARCHIVE=/path/to/archive.tar.gz", "dvc pull", "make demo"):
        assert part in error
    assert content_of(folder) == {"cifar-10-python.tar.gz": OTHER}


def test_an_interrupted_download_keeps_its_part_and_goes_on(folder):
    slow = Host(SMALL, rate=300_000)
    with serving(slow) as urls:
        set_mirrors(folder, urls)
        process = scratch.start("download", folder, **WARM)
        deadline = time.monotonic() + 20
        while slow.sent < 50_000 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        messages = process.communicate(timeout=20)[1]
        assert process.returncode == 130
        assert messages.splitlines()[-1].startswith("error: interrupted")
        assert not content_of(folder)
        slow.rate = None
        assert run(folder).returncode == 0
    assert re.fullmatch(r"bytes=[1-9]\d*-", slow.asked[-1])
    assert archive_of(folder).read_bytes() == SMALL


def test_ones_own_archive_is_taken_instead(folder, tmp_path):
    own = archives.write(tmp_path / "elsewhere" / "mine.tar.gz", OTHER)
    result = run(folder, CIFAR10_ARCHIVE=str(own))
    assert result.returncode == 0, result.stderr
    assert facts_of(folder) == facts(OTHER)
    assert f"sha256: {hashlib.sha256(OTHER).hexdigest()}, official: False" in result.stderr
    assert f"not the official archive: expected SHA-256 {SHA256}" in result.stderr
    assert own.read_bytes() == archive_of(folder).read_bytes() == OTHER
    assert run(folder, CIFAR10_ARCHIVE=str(archives.write(own, SMALL))).returncode == 0
    assert facts_of(folder) == facts(SMALL)


def test_ones_own_archive_may_be_a_url(folder):
    with serving(Host(OTHER)) as urls:
        assert run(folder, CIFAR10_ARCHIVE=urls[0]).returncode == 0
    assert facts_of(folder) == facts(OTHER)


HOSTILE = archives.pickled(archives.contents()) | {BATCH: b"cos\nsystem\n(S'touch witness'\ntR."}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (SMALL[:-1000], "is not a complete .tar.gz archive"),
        (b"", "is not a complete .tar.gz archive (empty file): download it again"),
        (archives.pack({"other/data_batch_1": b"x"}), "does not have the layout of cifar-10-python.tar.gz: "),
        (archives.pack(HOSTILE), f"{BATCH}: it asks for os.system: refused, nothing was run"),
        (None, "is not a file; expected the path or URL of an archive"),
    ],
    ids=["cut off", "empty", "another layout", "hostile", "missing"],
)
def test_a_bad_archive_of_ones_own_changes_nothing(folder, own, message):
    path = folder / "own.tar.gz"
    if own is not None:
        path.write_bytes(own)
    archives.write(archive_of(folder), SMALL)
    archives.write(folder / "data" / "raw" / "source.json", b"{}")
    before = content_of(folder)
    result = run(folder, CIFAR10_ARCHIVE=str(path))
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: CIFAR10_ARCHIVE: {path}")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert content_of(folder) == before
    assert not (folder / "witness").exists()


def test_a_url_without_an_archive_changes_nothing(folder):
    archives.write(archive_of(folder), SMALL)
    with serving(Host(b"<html>Please log in</html>")) as urls:
        result = run(folder, CIFAR10_ARCHIVE=urls[0])
    assert result.returncode == 2
    assert f"error: CIFAR10_ARCHIVE: {urls[0]} is not a complete .tar.gz archive" in result.stderr
    assert content_of(folder) == {"cifar-10-python.tar.gz": SMALL}


def test_another_source_leaves_no_archive_behind(folder):
    archives.write(archive_of(folder), SMALL)
    scratch.write_params(folder, source="digits")
    assert run(folder).returncode == 0
    assert content_of(folder).keys() == {"source.json"}
    assert facts_of(folder)["source"] == "digits"


def test_a_missing_folder_of_pictures_is_explained(folder):
    scratch.write_params(folder, source="folder")
    result = run(folder)
    assert result.returncode == 2
    assert result.stderr.startswith(
        "error: data.folder: data/pictures is not a folder; expected pictures as train/"
    )
    assert result.stderr.count("\n") == 1


def test_help_and_wrong_arguments(folder):
    assert "CIFAR10_ARCHIVE=/path" in run(folder, "--help").stdout
    assert run(folder, "extra").returncode == 2


def test_the_wrong_working_directory_is_named(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 2
    assert "params.yaml not found" in result.stderr
