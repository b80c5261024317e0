"""DVC's record of files in use, .dvc/tmp/rwlock: release what a dead process held.

DVC itself releases the files of process IDs that do not exist. It asks for help by hand if the ID belongs to
another process now, as in a container that has started again, and if a kill left the record half-written.
"""

import json
from pathlib import Path
from typing import Any

import psutil

from cifar10 import files

RECORD = Path(".dvc/tmp/rwlock")


def release_dead(path: Path = RECORD) -> None:
    """Remove the entries of dead processes. Call this while no other command of this module can run."""
    try:
        written = path.stat().st_mtime
        record = json.loads(path.read_text(encoding="utf-8"))
        kept = {
            "read": {
                name: [one for one in of if _alive(one, written)] for name, of in record["read"].items()
            },
            "write": {name: one for name, one in record["write"].items() if not one or _alive(one, written)},
        }
    except FileNotFoundError:
        return
    except (ValueError, TypeError, KeyError, AttributeError):
        path.unlink(missing_ok=True)  # half-written
        return
    if kept != record:
        files.write_text(path, files.json_text(kept, indent=None))


def _alive(entry: dict[str, Any], written: float) -> bool:
    """Tell whether the process of an entry runs: it started before the record was written."""
    try:
        return psutil.Process(int(entry["pid"])).create_time() < written + 2
    except psutil.NoSuchProcess:
        return False
