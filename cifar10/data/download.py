"""Fetch a file from the first of several mirrors that is up, quick enough and serves the right bytes.

pooch checks the hash and puts the finished file in its place. What it lacks is here: a lower limit for
the rate, the change to the next mirror, and going on where an interrupted download stopped.
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
from cifar10.data import archive
from cifar10.errors import UserError

VARIABLE = "CIFAR10_ARCHIVE"  # in the environment: a path or a URL of an archive to take instead
CHUNK = 2**16  # bytes asked for at once; read1 hands over less as soon as it is there
CONNECTIONS = 5  # to one mirror whose connection breaks off although bytes came
PATIENCE = 6  # windows without a byte until even a slow mirror without an alternative is given up


@dataclasses.dataclass(frozen=True)
class Limits:
    """What is asked of a mirror."""

    minimum_rate: float  # kB/s, mean over a window
    window: float  # seconds
    answer: float = 18.0  # seconds, all mirrors together, for looking up the name, connecting and headers


class Fault(Exception):  # noqa: N818  (the word of the messages)
    """Why a mirror was left, in a few words."""


class Slow(Fault):
    """The mirror works but stays below the minimum rate."""

    def __init__(self, rate: float, limits: Limits):
        self.rate = rate  # kB/s
        super().__init__(f"{rate:.3g} kB/s over {limits.window:g} s, less than {limits.minimum_rate:g} kB/s")


class Interrupted(Exception):  # noqa: N818
    """The connection ended before the file; another one to the same mirror may go on."""


def fetch(urls: Sequence[str], sha256: str | None, target: Path, limits: Limits) -> Path:
    """Download the file that all `urls` (http, https) serve, and return `target`, where it then is.

    A mirror that is down, answers an error, serves other bytes or is slow is left for the next. If all
    that work are slow, the fastest is used to the end. Unfinished parts stay beside `target`, one per
    URL, and are continued by the next call. A file at `target` that has the hash is taken as it is.
    Without a hash (hexadecimal `sha256`) all that comes is taken.

    Raises:
        UserError: no mirror served it; the message has a line for each.
    """
    if sha256 is None:
        target.unlink(missing_ok=True)  # nothing says whether it is still the same
    limits = dataclasses.replace(limits, answer=limits.answer / len(urls))
    faults: dict[str, Fault] = {}
    if not (
        any(_tried(url, sha256, target, limits, faults) for url in urls)
        or any(_tried(url, sha256, target, _patient(limits), faults) for url in _slow(faults))
    ):
        lines = "".join(f"\n  {url}: {fault}" for url, fault in faults.items())
        raise UserError(f"could not download {target.name}; what came is kept for the next run:{lines}")
    for url in urls:
        part_of(url, target).unlink(missing_ok=True)
    return target


def bring(own: str, new: Path, limits: Limits) -> None:
    """Download or copy an archive to `new` and read it to its end, so that a damaged one is not taken.

    Args:
        own: its path or URL.
        new: where it goes; nothing stays there on an error.
        limits: asked of the host of a URL.

    Raises:
        UserError: there is none, or it is damaged or of another layout.
    """
    try:
        if own.startswith(("http://", "https://")):
            fetch([own], None, new, limits)
        elif not Path(own).expanduser().is_file():
            raise UserError(f"{own} is no file; expected the path or URL of an archive")
        else:
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(own).expanduser(), new)
        with new.open("rb") as file:
            archive.read(file, own)
    except UserError as error:
        new.unlink(missing_ok=True)
        raise UserError(f"{VARIABLE}: {error}") from None


def _slow(faults: dict[str, Fault]) -> Iterator[str]:
    """Give the mirrors that work, the fastest first."""
    rates = {url: fault.rate for url, fault in faults.items() if isinstance(fault, Slow)}
    for url in sorted(rates, key=lambda url: -rates[url]):
        progress.log(f"No mirror is quicker: going on with {url} at {rates[url]:.3g} kB/s")
        yield url


def _patient(limits: Limits) -> Limits:
    return dataclasses.replace(limits, minimum_rate=0, window=PATIENCE * limits.window)


def part_of(url: str, target: Path) -> Path:
    """Name the file beside `target` that holds what came from `url` so far."""
    return target.with_name(f"{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")


def _tried(url: str, sha256: str | None, target: Path, limits: Limits, faults: dict[str, Fault]) -> bool:
    """Try one mirror: True if `target` is there, else its fault is logged and put down in `faults`."""
    try:
        _retrieve(url, sha256, target, limits)
    except Fault as fault:
        faults[url] = fault
        progress.log(f"Left {url}: {fault}")
        return False
    return True


def _retrieve(url: str, sha256: str | None, target: Path, limits: Limits) -> None:
    """Let pooch place the file, once more from the first byte if a continued part was of another version."""
    part = part_of(url, target)
    continued = part.exists() and part.stat().st_size > 0

    def downloader(url: str, output_file: str, _pooch: object) -> None:
        _download(url, part, limits)
        part.replace(output_file)

    try:
        pooch.get_logger().setLevel("WARNING")  # the caller says what happens
        pooch.retrieve(url, sha256, fname=target.name, path=target.parent, downloader=downloader)
    except ValueError:  # pooch has deleted the file
        if not continued:
            raise Fault(f"served other bytes, their SHA-256 is not {sha256}") from None
        progress.log(f"{url} has changed since the download began: beginning again")
        _retrieve(url, sha256, target, limits)


def _download(url: str, part: Path, limits: Limits) -> None:
    """Complete `part`, over several connections if they break off although bytes come."""
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
            progress.log(f"{url}: {error}, connecting again")
    return None


def _transfer(url: str, part: Path, limits: Limits) -> None:
    """Append to `part` what is missing, over one connection."""
    with _answer(url, _size(part), limits) as response:
        if _is_complete(response, part):
            return
        start, total = _extent(response, part)
        host = urlsplit(url).netloc
        progress.log(f"Downloading {url}{f' from byte {start:,} on' if start else ''}")
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
        raise Interrupted("the connection broke off")  # a server may also send less than asked for


def _answer(url: str, start: int, limits: Limits) -> requests.Response:
    """Ask for the bytes from `start` on and wait for the headers, `limits.answer` seconds in all.

    In a thread, as nothing else bounds the look-up of a name, the tries of all addresses of a host and
    headers that come byte by byte. An answer that comes too late is dropped with its thread.
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
    """Judge an answer 416: the part has all bytes already, or too many and is emptied for a new start."""
    if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        if response.headers.get("Content-Range") == f"bytes */{_size(part)}":
            return True
        raise _begin_again(part)
    if response.status_code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise requests.HTTPError(f"{response.status_code} {response.reason}")
    return False


def _extent(response: requests.Response, part: Path) -> tuple[int, int | None]:
    """Tell at which byte the answer starts and how many the whole file has, if the server says so.

    A server may ignore the range and send all (200), so the start is 0 or the end of the part.
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
    return Interrupted("its answer does not fit the part that is here")


def _chunks(response: requests.Response, limits: Limits) -> Iterator[bytes]:
    """Hand over bytes as they come; raise Slow when a window passes below the minimum rate."""
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
    """Wait for some bytes; none at the end."""
    try:
        return response.raw.read1(CHUNK, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError:
        raise Fault(f"sent nothing for {limits.window:g} s") from None
    except urllib3.exceptions.HTTPError:
        raise Interrupted("the connection broke off") from None


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: BaseException) -> str:
    """Find the plain words of the system under the layers of a network error."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
