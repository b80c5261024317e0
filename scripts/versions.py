"""Write versions.yaml from requirements.txt: the libraries that decide the bytes of models and metrics."""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import arithmetic, files, paths

LOCK = Path("requirements.txt")
HEAD = f"""# Libraries whose versions decide the bytes of models and metrics. `train` and `evaluate` depend on
# them: `dvc status` names both after one of these changes, and after no other library does.
# `make lock` writes this file from {LOCK}.
"""


def main() -> None:
    """Read the lock, write versions.yaml."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    files.write_text(paths.VERSIONS, text(LOCK.read_text(encoding="utf-8")))


def text(lock: str) -> str:
    """Find the versions in the text of a lock file, which must have one for every system and Python."""
    lines = []
    for name, distributions in arithmetic.LIBRARIES.items():
        pattern = rf"^(?:{'|'.join(distributions)})==(\S+)"
        found = set(re.findall(pattern, lock, re.MULTILINE))
        if len(found) != 1:
            versions = ", ".join(sorted(found)) or "none"
            raise SystemExit(f"error: {LOCK}: expected one version of {name}, found {versions}")
        lines.append(f'{name}: "{found.pop()}"\n')
    return HEAD + "".join(lines)


if __name__ == "__main__":
    main()
