"""Check files before a commit: YAML, TOML and JSON are readable, and no file is too large for git."""

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

LARGEST = 1_000_000  # bytes; larger files belong in DVC
READERS: dict[str, Callable[[str], Any]] = {
    ".cff": yaml.safe_load,
    ".json": json.loads,
    ".lock": yaml.safe_load,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
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
            reader(path.read_text(encoding="utf-8"))
        except (ValueError, yaml.YAMLError) as error:  # errors of JSON, TOML and Unicode are ValueErrors
            faults.append(f"cannot be read: {' '.join(str(error).split())}")
    return faults


if __name__ == "__main__":
    main()
