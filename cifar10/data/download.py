"""Download a file from the first mirror that is up, fast enough and serves the right bytes.

pooch checks the hash and moves the finished file into place. This module adds a minimum rate, the fallback
to the next mirror, and the continuation of an interrupted download.
"""

import dataclasses
import hashlib
import queue
import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
import urllib3

from cifar10 import progress
from cifar10.data import archive, own_archive
from cifar10.errors import UserError

CHUNK = 2**16  # maximum bytes per read; read1 returns available bytes at once
CONNECTIONS = 5  # maximum connections to one mirror; each must deliver bytes
PATIENCE = 6  # windows without a byte before a slow mirror fails, if there is no faster one


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits on a mirror."""

    minimum_rate: float  # kB/s, mean over a window
    window: float  # seconds
    answer: float = 18.0  # seconds for name look-up, connection and headers, all mirrors together


class Fault(Exception):  # noqa: N818
    """The reason for skipping a mirror, as a phrase."""


class Slow(Fault):
    """The mirror works, but below the minimum rate."""

    def __init__(self, rate: float, limits: Limits):
        self.rate = rate  # kB/s
        expected = f"expected at least {limits.minimum_rate:g} kB/s"
        super().__init__(f"{rate:.3g} kB/s over {limits.window:g} s, {expected}")


class Interrupted(Exception):  # noqa: N818
    """The connection ended before the file did; a new one may continue."""


def fetch(urls: Sequence[str], sha256: str | None, target: Path, limits: Limits) -> Path:
    """Download a file from the first usable mirror to `target`, and return `target`.

    All `urls` (http, https) must serve the same file. A mirror that is down, answers an error, serves other
    bytes or is slow is skipped. If all working mirrors are slow, the fastest one is used. Partial downloads
    stay beside `target`, one per URL, and the next call continues them. A file at `target` with the right
    hash is kept. Without a hash (hexadecimal `sha256`), any content is accepted.

    Raises:
        UserError: no mirror served the file; the message has a line per mirror.
    """
    if sha256 is None:
        target.unlink(missing_ok=True)  # it may be outdated
    limits = dataclasses.replace(limits, answer=limits.answer / len(urls))
    faults: dict[str, Fault] = {}
    if not (
        any(_tried(url, sha256, target, limits, faults) for url in urls)
        or any(_tried(url, sha256, target, _patient(limits), faults) for url in _slow(faults))
    ):
        lines = "".join(f"\n  {url}: {fault}" for url, fault in faults.items())
        raise UserError(
            f"could not download {target.name}; partial downloads are kept for the next run:{lines}"
        )
    for url in urls:
        part_of(url, target).unlink(missing_ok=True)
    return target


def bring(own: str, new: Path, limits: Limits) -> None:
    """Download or copy an archive to `new` and check it by reading it to its end.

    Args:
        own: path or URL of the archive.
        new: destination; deleted on an error.
        limits: limits on the host of a URL.

    Raises:
        UserError: the archive is missing, damaged or of another layout.
    """
    try:
        if own_archive.is_url(own):
            fetch([own], None, new, limits)
        else:
            path = own_archive.local(own)
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, new)
        with new.open("rb") as file:
            archive.read(file, own)
    except UserError as error:
        new.unlink(missing_ok=True)
        raise UserError(f"{own_archive.VARIABLE}: {error}") from None


def _slow(faults: dict[str, Fault]) -> Iterator[str]:
    """Yield the slow but working mirrors, fastest first."""
    rates = {url: fault.rate for url, fault in faults.items() if isinstance(fault, Slow)}
    for url in sorted(rates, key=lambda url: -rates[url]):
        progress.log(f"No mirror is faster: continuing with {url} at {rates[url]:.3g} kB/s")
        yield url


def _patient(limits: Limits) -> Limits:
    return dataclasses.replace(limits, minimum_rate=0, window=PATIENCE * limits.window)


def part_of(url: str, target: Path) -> Path:
    """Return the path, beside `target`, of the partial download from `url`."""
    return target.with_name(f"{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")


def _tried(url: str, sha256: str | None, target: Path, limits: Limits, faults: dict[str, Fault]) -> bool:
    """Try one mirror. Return True on success; otherwise log its fault and store it in `faults`."""
    try:
        _retrieve(url, sha256, target, limits)
    except Fault as fault:
        faults[url] = fault
        progress.log(f"Skipped {url}: {fault}")
        return False
    return True


def _retrieve(url: str, sha256: str | None, target: Path, limits: Limits) -> None:
    """Let pooch place the file; if a continued download has the wrong hash, download all of it once more."""
    part = part_of(url, target)
    continued = part.exists() and part.stat().st_size > 0

    def downloader(url: str, output_file: str, _pooch: object) -> None:
        _download(url, part, limits)
        part.replace(output_file)

    try:
        pooch.get_logger().setLevel("WARNING")  # this module logs its own messages
        pooch.retrieve(url, sha256, fname=target.name, path=target.parent, downloader=downloader)
    except ValueError:  # wrong hash; pooch has deleted the file
        if not continued:
            raise Fault(f"served other bytes, expected SHA-256 {sha256}") from None
        progress.log(f"{url} has changed since the download began: starting again")
        _retrieve(url, sha256, target, limits)


def _download(url: str, part: Path, limits: Limits) -> None:
    """Complete `part`; reconnect after an interruption, as long as each connection brings bytes."""
    for connection in range(CONNECTIONS):
        before = _size(part)
        try:
            return _transfer(url, part, limits)
        except requests.HTTPError as error:
            raise Fault(f"answered {error}") from None
        except requests.ReadTimeout:
            raise Fault(f"sent nothing for {limits.window:g} s") from None
        except requests.RequestException as error:
            raise Fault(_reason(error)) from None
        except Interrupted as error:
            if _size(part) == before or connection == CONNECTIONS - 1:
                raise Fault(str(error)) from None
            progress.log(f"{url}: {error}, reconnecting")
    return None


def _transfer(url: str, part: Path, limits: Limits) -> None:
    """Append the missing bytes to `part`, over one connection."""
    with _answer(url, _size(part), limits) as response:
        if _is_complete(response, part):
            return
        start, total = _extent(response, part)
        host = urlsplit(url).netloc
        progress.log(f"Downloading {url}{f' from byte {start:,}' if start else ''}")
        with (
            part.open("r+b" if part.exists() else "wb") as file,
            progress.bar(total=total, initial=start, unit="B", unit_scale=True, desc=host) as bar,
        ):
            file.truncate(start)
            file.seek(start)
            for chunk in _chunks(response, limits):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and _size(part) != total:
        raise Interrupted("the connection was lost")  # or the server sent less than requested


def _answer(url: str, start: int, limits: Limits) -> requests.Response:
    """Request the bytes from `start` on and wait for the headers, at most `limits.answer` seconds.

    Only a thread can bound the name look-up, the attempts at all addresses of a host and headers that arrive
    byte by byte. A late answer is dropped with its thread.
    """
    answers: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})

    def ask() -> None:
        try:
            time_limits = (limits.answer, limits.window)
            answers.put(requests.get(url, headers=headers, stream=True, timeout=time_limits))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=limits.answer)
    except queue.Empty:
        raise Fault(f"no answer within {limits.answer:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _is_complete(response: requests.Response, part: Path) -> bool:
    """Tell whether the part already has all bytes (status 416); delete it if it does not fit."""
    if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        if response.headers.get("Content-Range") == f"bytes */{_size(part)}":
            return True
        raise _begin_again(part)
    if response.status_code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise requests.HTTPError(f"{response.status_code} {response.reason}")
    return False


def _extent(response: requests.Response, part: Path) -> tuple[int, int | None]:
    """Return the first byte of the answer and the size of the whole file, None if unknown.

    A server may ignore the range and send everything (200), so the start is 0 or the end of the part.
    """
    if response.status_code == HTTPStatus.PARTIAL_CONTENT:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not found or int(found[1]) != _size(part):
            raise _begin_again(part)
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _begin_again(part: Path) -> Interrupted:
    part.unlink(missing_ok=True)
    return Interrupted("the answer does not fit the partial download")


def _chunks(response: requests.Response, limits: Limits) -> Iterator[bytes]:
    """Yield bytes as they arrive; raise Slow if the mean rate over a window is below the minimum."""
    began, received = time.monotonic(), 0
    while chunk := _read(response, limits):
        yield chunk
        received += len(chunk)
        seconds = time.monotonic() - began
        if seconds >= limits.window:
            rate = received / seconds / 1000
            if rate < limits.minimum_rate:
                raise Slow(rate, limits)
            began, received = time.monotonic(), 0


def _read(response: requests.Response, limits: Limits) -> bytes:
    """Wait for bytes and return them; empty at the end."""
    try:
        return response.raw.read1(CHUNK, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError:
        raise Fault(f"sent nothing for {limits.window:g} s") from None
    except urllib3.exceptions.HTTPError:
        raise Interrupted("the connection was lost") from None


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: BaseException) -> str:
    """Return the operating system's message from inside a network error."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
