"""The user's own archive, named by CIFAR10_ARCHIVE: notice that it is not the one in data/raw.

DVC does not see environment variables, so another archive makes no stage stale.
"""

import os
from pathlib import Path

import pooch

from cifar10 import files, paths, progress
from cifar10.data import download
from cifar10.errors import UserError
from cifar10.names import shown

RECORD = paths.PARTIAL / "own_archive.json"  # url and sha256 of the last archive from a URL
AGAIN = "dvc repro --force download"


def given(source: str) -> str:
    """Return the path or URL of the user's archive; "" if there is none or `source` does not use it.

    Args:
        source: `data.source` of params.yaml. Another one than cifar10 gives a message.
    """
    own = os.environ.get(download.VARIABLE, "")
    if own and source != "cifar10":
        progress.log(f"{download.VARIABLE} is not used: data.source in params.yaml is {source}, not cifar10")
        return ""
    return own


def record(own: str, sha256: str) -> None:
    """Remember which archive came from a URL; a path needs no record."""
    if _is_url(own):
        files.write_json(RECORD, {"url": own, "sha256": sha256})


def is_new(own: str) -> bool:
    """Tell whether an archive differs in content from the one that data/raw/source.json describes.

    The content of a URL is not fetched: it is new if the address is new.
    """
    found = _read(paths.SOURCE)
    if found.get("source") != "cifar10":
        return False  # the stage `download` is stale, and takes it
    if _is_url(own):
        return _read(RECORD) != {"url": own, "sha256": found["sha256"]}
    path = Path(own).expanduser()
    return not path.is_file() or pooch.file_hash(str(path)) != found["sha256"]


def check(source: str) -> None:
    """Check that no archive is given but the one in data/raw.

    Raises:
        UserError: another one is given.
    """
    own = given(source)
    if own and is_new(own):
        raise UserError(
            f"{download.VARIABLE}: {shown(own)} is not the archive in {paths.RAW} "
            f"(SHA-256 {_read(paths.SOURCE)['sha256']}): take it with `{AGAIN}` or `make repro`, or unset "
            f"{download.VARIABLE}"
        )


def _is_url(own: str) -> bool:
    return own.startswith(("http://", "https://"))


def _read(path: Path) -> dict[str, str]:
    try:
        found = files.read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
