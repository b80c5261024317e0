"""Lock files that name the process that holds them. A lock ends with its process, whatever ends the process.

The operating system's lock decides where the file system has one: it needs no check of process IDs, and no
reboot leaves it behind. Some network file systems have none. The record in the file then decides.
"""

import contextlib
import errno
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from cifar10 import files
from cifar10.errors import BusyError

ABSENT = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}  # no locks here
POLL = 0.1  # seconds
BEAT = 2.0  # seconds from one touch of a file without a system lock to the next
SILENCE = 5 * BEAT  # a record of another host without a touch for so long is of a dead process
BYTE = 1 << 30  # position of the locked byte on Windows, behind the record, which others can then read


@contextlib.contextmanager
def held(path: Path, busy: str, wait: float = 0.0) -> Iterator[None]:
    """Hold a lock during a `with` block.

    Args:
        path: the file. It is deleted at the end.
        busy: message of the error, in which `{process}` stands for "process 12".
        wait: for how many seconds to wait for another holder.

    Raises:
        BusyError: another process holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    end, seen = time.monotonic() + wait, _Seen()
    while (descriptor := _take(path, seen)) is None:
        if time.monotonic() > max(end, seen.until + 1):
            raise BusyError(busy.format(process=_name(_read(path))))
        time.sleep(POLL)
    ended = threading.Event()
    if not seen.system_lock:
        threading.Thread(target=_touch, args=(path, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        with contextlib.suppress(OSError):  # Windows does not delete an open file
            path.unlink()
        os.close(descriptor)
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                path.unlink()


class _Seen:
    """What one attempt to take a lock remembers for the next.

    Attributes:
        system_lock: whether the file system has locks.
        until: time.monotonic() until which the record of another host is watched.
        touched: the last modification of that record.
    """

    def __init__(self) -> None:
        self.system_lock = True
        self.until = 0.0
        self.touched: int | None = None

    def silent(self, path: Path) -> bool:
        """Tell whether nobody has touched the file for SILENCE seconds; compares no clocks of two hosts."""
        touched = path.stat().st_mtime_ns
        if touched != self.touched:
            self.until = 0.0 if self.touched else time.monotonic() + SILENCE
            self.touched = touched
            return False
        return time.monotonic() > self.until > 0


def _take(path: Path, seen: _Seen) -> int | None:
    """Try to take the lock; return the open file, None if another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        seen.system_lock = _lock(descriptor)
        if os.stat(path).st_ino != os.fstat(descriptor).st_ino:  # noqa: PTH116 - its last holder deleted it
            raise BlockingIOError
        if not seen.system_lock and _alive(path, seen):
            raise BlockingIOError
        os.ftruncate(descriptor, 0)
        own = psutil.Process()
        record = {"process": own.pid, "started": own.create_time(), "host": platform.node()}
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, files.json_text(record, indent=None).encode())
        if not seen.system_lock:
            time.sleep(
                2 * POLL
            )  # two processes can find the same dead record: the last to write has the lock
            if _read(path) != record:
                raise BlockingIOError
    except (BlockingIOError, FileNotFoundError):
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int) -> bool:
    """Lock an open file; return whether its file system has locks.

    Raises:
        BlockingIOError: another process has locked it.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in ABSENT:
            return False
        raise BlockingIOError from None
    return True


def _alive(path: Path, seen: _Seen) -> bool:
    """Tell whether the process of a record can still run."""
    record = _read(path)
    if not record and not path.stat().st_size:
        return False
    if record.get("host") != platform.node():
        return not seen.silent(path)
    try:
        started = psutil.Process(record["process"]).create_time()
    except psutil.NoSuchProcess:
        return False
    return abs(started - record["started"]) < 2  # otherwise another process has the ID now


def _read(path: Path) -> dict[str, Any]:
    """Read a record; {} if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _name(record: dict[str, Any]) -> str:
    where = record.get("host", platform.node())
    return f"process {record.get('process', 'unknown')}{'' if where == platform.node() else f' on {where}'}"


def _touch(path: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with contextlib.suppress(OSError):
            os.utime(path)
