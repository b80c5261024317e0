"""Read `data.labels`: a CSV file with a row per picture."""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cifar10.data.class_names import composed, problem
from cifar10.errors import UserError
from cifar10.names import shown

REQUIRED, OPTIONAL = ("path", "label"), ("split", "group")
SPLITS = ("train", "test")


class Row(NamedTuple):
    """A picture of the file; `split` and `group` are None without their column."""

    path: Path
    label: str
    split: str | None
    group: str | None


def read(name: str, folder: Path) -> list[Row]:
    """Read the rows, sorted by path.

    Args:
        name: the path of the file, relative to `folder`.
        folder: `data.folder`; paths in the file are relative to it.

    Raises:
        UserError: the file or a picture is missing, or a row is not valid; the message names the line.
    """
    where = f"data.labels: {shown(str(folder / name))}"
    if not _is_inside(name):
        raise UserError(f"data.labels: got {shown(name)}, expected a path inside of data.folder")
    try:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            rows = [*_rows(csv.DictReader(file, strict=True), folder, where)]
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UserError(f"{where} not found; expected a CSV file inside of data.folder") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{where} is not a CSV file in UTF-8: {error}") from None
    if not rows:
        raise UserError(f"{where}: expected a row per picture, found none")
    if absent := [(line, row) for line, row in rows if not row.path.is_file()]:
        line, row = absent[0]
        more = f", and {len(absent) - 1:,} more" if len(absent) > 1 else ""
        raise UserError(f"{where}: line {line}: {shown(str(row.path))} not found{more}")
    lines: dict[str, int] = {}
    for line, row in rows:
        if (first := lines.setdefault(composed(str(row.path)), line)) != line:
            raise UserError(f"{where}: lines {first} and {line} name the same picture: delete one")
    return sorted((row for _, row in rows), key=lambda row: (composed(row.path.as_posix()), row.path))


def _rows(reader: "csv.DictReader[str]", folder: Path, where: str) -> Iterator[tuple[int, Row]]:
    columns = [*(reader.fieldnames or ())]
    if lacking := [column for column in REQUIRED if column not in columns]:
        found = ", ".join(map(shown, columns)) or "none"
        raise UserError(f"{where}: no column {lacking[0]}; expected path, label, found {found}")
    if twice := [column for column in REQUIRED + OPTIONAL if columns.count(column) > 1]:
        raise UserError(f"{where}: found the column {twice[0]} twice: delete or rename one")
    for content in reader:
        line = f"{where}: line {reader.line_num}"
        if None in content or None in content.values():
            raise UserError(f"{line}: expected {len(columns)} values, as the first line has")
        label = composed(content["label"])
        if fault := problem(label):
            raise UserError(f"{line}: the label {label!a} {fault}")
        if not _is_inside(content["path"]):
            raise UserError(f"{line}: got {content['path']!a}, expected a path inside of data.folder")
        split, group = (content[column] if column in columns else None for column in OPTIONAL)
        if split is not None and split not in SPLITS:
            raise UserError(
                f"{line}: split: got {split!a}, expected train or test; validation pictures are drawn from "
                "train (data.validation_fraction)"
            )
        yield reader.line_num, Row(folder / content["path"], label, split, group)


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path.replace("\\", "/"))
    return bool(path) and not parts.is_absolute() and ".." not in parts.parts and not Path(path).is_absolute()
