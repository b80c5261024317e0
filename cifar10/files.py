"""Atomic file writes: a reader never sees a half-written file."""

import contextlib
import csv
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with the same suffix; on success, it replaces `path`.

    On an error, the temporary file is deleted and `path` stays unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.tmp{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def raise_system_error(error: BaseException, path: Path) -> None:
    """Raise an error of the operating system again, with the path; other errors are of the content.

    Libraries raise an OSError without a number for a damaged file, and one with a number for a file that
    cannot be read: no permission, no locks, a broken disk.
    """
    if isinstance(error, OSError) and error.errno:
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line endings: the same bytes on every system."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with a final newline; see `json_text`."""
    write_text(path, json_text(value) + "\n")


def json_text(value: Any, indent: int | None = 2) -> str:
    """Return `value` as JSON that is valid UTF-8; the order of keys is kept.

    A number that is not finite becomes null: JSON has no NaN and no infinity. A lone surrogate, as in a file
    name that is not UTF-8, is escaped.

    Args:
        value: of dicts, lists, tuples, texts, numbers, booleans and None.
        indent: spaces per level; None for one line.
    """
    text = json.dumps(finite(value), indent=indent, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


def finite(value: Any) -> Any:
    """Replace each float of a JSON value that is not finite by None."""
    match value:
        case Mapping():
            return {key: finite(each) for key, each in value.items()}
        case list() | tuple():
            return [finite(each) for each in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same keys as CSV with a header; None becomes an empty field."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FileNotFoundError: the file does not exist.
    """
    return json.loads(path.read_text(encoding="utf-8"))
