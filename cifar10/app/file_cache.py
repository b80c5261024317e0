"""Content of files, read again after the files change."""

import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

Content = TypeVar("Content")


class FileCache:
    """Keeps what was read by key. Threads can share one; one of them reads at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Hashable, tuple[list[int | None], Any]] = {}

    def get(self, key: Hashable, files: Sequence[Path], read: Callable[[], Content]) -> Content:
        """Return what `read` returned, or call it if a file changed since; its errors are not kept.

        Args:
            key: of the content.
            files: that `read` reads.
            read: gives the content.
        """
        with self._lock:
            stamps = stamp(files)
            if key not in self._entries or self._entries[key][0] != stamps:
                self._entries.pop(key, None)
                self._entries[key] = stamps, read()
            return self._entries[key][1]


def stamp(files: Sequence[Path]) -> list[int | None]:
    """Return the modification times of files in nanoseconds; None for a file that does not exist."""
    return [path.stat().st_mtime_ns if path.exists() else None for path in files]
