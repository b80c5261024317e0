"""Check files before a commit: YAML, TOML and JSON are readable, and no file is too large for git."""

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, yaml_text
from cifar10.errors import UserError

LARGEST = 1_000_000  # bytes; larger files belong in DVC
YAML = (".cff", ".lock", ".yaml", ".yml")
READERS: dict[str, Callable[[Path], Any]] = {
    **dict.fromkeys(YAML, yaml_text.read),
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".toml": lambda path: tomllib.loads(path.read_text(encoding="utf-8")),
}


def main() -> None:
    """Check the files named on the command line; print a line per fault, and exit with 1 on any fault."""
    faults = [f"{name}: {fault}" for name in sys.argv[1:] for fault in check(Path(name))]
    print("\n".join(faults), end="\n" if faults else "")
    sys.exit(1 if faults else 0)


def check(path: Path) -> list[str]:
    """List the faults of a file."""
    size = path.stat().st_size
    faults = [f"{size:,} bytes, expected at most {LARGEST:,}: use `dvc add`"] if size > LARGEST else []
    if reader := READERS.get(path.suffix):
        try:
            reader(path)
        except (ValueError, UserError) as error:  # errors of JSON, TOML and Unicode are ValueErrors
            faults.append(f"cannot be read: {' '.join(str(error).split())}")
    return faults


if __name__ == "__main__":
    errors.run(main)
