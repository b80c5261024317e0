import hashlib
import threading
import time

import numpy as np
import pytest

from cifar10.data import download
from cifar10.errors import UserError
from tests.hosts import Host, black_hole, closed, serving

pytestmark = pytest.mark.slow

CONTENT = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LIMITS = download.Limits(minimum_rate=200, window=0.5, answer=2)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "partial" / "archive.tar.gz"


def fetch(urls, target, sha256=SHA256, limits=LIMITS):
    assert download.fetch(urls, sha256, target, limits) == target
    assert target.read_bytes() == CONTENT


def leave_part(url, target, content):
    part = download.part_of(url, target)
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(content)
    return part


def test_a_good_mirror_is_asked_once_and_leaves_only_the_file(target):
    host = Host(CONTENT)
    with serving(host) as urls:
        fetch(urls, target)
        fetch(urls, target)  # right hash: kept
    assert host.asked == [None]
    assert list(target.parent.iterdir()) == [target]


def test_without_a_hash_what_lies_there_is_not_trusted(target):
    target.parent.mkdir()
    target.write_bytes(OTHER)
    with serving(Host(CONTENT)) as urls:
        fetch(urls, target, sha256=None)


def test_a_server_that_says_no_length(target):
    with serving(Host(CONTENT, chunked=True)) as urls:
        fetch(urls, target)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (Host(status=404), "answered 404 Not Found"),
        (Host(status=503), "answered 503 Service Unavailable"),
        (Host(OTHER), f"served other bytes, expected SHA-256 {SHA256}"),
        (Host(b""), "served other bytes"),
        (Host(CONTENT, silent=True), "sent nothing for 0.5 s"),
        (Host(CONTENT, header_rate=20), "no answer within 1 s"),
        (Host(CONTENT, stalls_after=0), "sent nothing for 0.5 s"),
        (Host(CONTENT, stalls_after=100_000), "sent nothing for 0.5 s"),
        (Host(CONTENT, rate=50_000), "kB/s over 0.5 s, expected at least 200 kB/s"),
        (Host(CONTENT, rate=500), "kB/s over 0.5 s, expected at least 200 kB/s"),
        (Host(CONTENT, ends_after=0), "the connection was lost"),
        (Host(CONTENT, ends_after=50_000, ranges=False), "the connection was lost"),
        (Host(CONTENT, ends_after=50_000, chunked=True, ranges=False), "the connection was lost"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_mirror_is_left_for_the_next(host, reason, target, capsys):
    began = time.monotonic()
    with serving(host, Host(CONTENT)) as urls:
        fetch(urls, target)
    assert time.monotonic() - began < 2.5
    log = capsys.readouterr().err
    assert log.count("Skipped ") == 1
    assert reason in log[log.index(f"Skipped {urls[0]}: ") :].splitlines()[0]


def test_a_host_that_is_down_is_left_for_the_next(target, capsys):
    with serving(Host(CONTENT)) as urls:
        fetch([closed(), *urls], target)
    assert "Connection refused" in capsys.readouterr().err


def test_time_to_answer_is_bounded_where_packets_are_dropped(target):
    began = time.monotonic()
    with black_hole() as first, black_hole() as second, pytest.raises(UserError) as error:
        download.fetch([first, second], SHA256, target, LIMITS)
    assert time.monotonic() - began < 3
    assert f"{first}: " in str(error.value)
    assert f"{second}: " in str(error.value)


def test_the_error_has_a_line_for_every_mirror(target):
    with serving(Host(status=404), Host(OTHER)) as urls, pytest.raises(UserError) as error:
        download.fetch([*urls, closed()], SHA256, target, LIMITS)
    first, *lines = str(error.value).splitlines()
    assert first.startswith("could not download archive.tar.gz; ")
    assert [line.split(": ")[0].strip() for line in lines[:2]] == urls
    assert "404" in lines[0]
    assert "other bytes" in lines[1]
    assert "refused" in lines[2]
    assert not target.exists()
    assert not any(target.parent.iterdir()), "wrong bytes were kept"


def test_if_all_are_slow_the_fastest_goes_on_to_the_end(target, capsys):
    slow, faster = Host(CONTENT, rate=60_000), Host(CONTENT, rate=150_000)
    with serving(slow, faster, Host(status=500)) as urls:
        fetch(urls, target)
    assert f"continuing with {urls[1]}" in capsys.readouterr().err
    assert slow.asked == [None]
    assert faster.asked[0] is None
    assert int(faster.asked[1].strip("bytes=-")) > 10_000, "the part was not continued"
    assert list(target.parent.iterdir()) == [target]


def test_a_connection_that_breaks_off_is_continued(target):
    host = Host(CONTENT, ends_after=100_000)
    with serving(host) as urls:
        fetch(urls, target)
    assert host.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_a_part_of_an_earlier_run_is_continued(target):
    host = Host(CONTENT)
    with serving(host) as urls:
        leave_part(urls[0], target, CONTENT[:123_456])
        fetch(urls, target)
    assert host.asked == ["bytes=123456-"]
    assert host.sent == 300_000 - 123_456


def test_parts_of_different_hosts_are_not_mixed(target):
    second = Host(CONTENT)
    with serving(Host(OTHER, ends_after=100_000, ranges=False), second) as urls:
        fetch(urls, target)
    assert second.asked == [None]


def test_a_server_that_ignores_ranges_sends_all_again(target):
    host = Host(CONTENT, ranges=False)
    with serving(host) as urls:
        leave_part(urls[0], target, OTHER + b"more")
        fetch(urls, target)
    assert host.asked == ["bytes=300004-"]


def test_a_server_that_sends_less_than_asked_for_is_asked_again(target):
    host = Host(CONTENT, at_most=100_000)
    with serving(host) as urls:
        leave_part(urls[0], target, CONTENT[:50_000])
        fetch(urls, target)
    assert host.asked == ["bytes=50000-", "bytes=150000-", "bytes=250000-"]


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        (CONTENT, ["bytes=300000-"]),  # 416: complete
        (CONTENT + b"more", ["bytes=300004-", None]),  # 416: another version
        (OTHER, ["bytes=300000-", None]),  # 416, same length, other bytes
        (OTHER[:1000], ["bytes=1000-", None]),  # the file has changed
    ],
    ids=["complete", "too long", "other bytes", "changed"],
)
def test_a_part_that_may_not_fit(part, asked, target):
    host = Host(CONTENT)
    with serving(host) as urls:
        leave_part(urls[0], target, part)
        fetch(urls, target)
    assert host.asked == asked


def test_no_thread_waits_on_after_a_quick_download(target):
    before = threading.active_count()
    with serving(Host(CONTENT)) as urls:
        fetch(urls, target)
    assert threading.active_count() <= before
