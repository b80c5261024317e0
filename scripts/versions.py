"""Write versions.yaml: the pinned versions of the libraries that affect the bytes of results."""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import arithmetic, errors, files, paths

LOCK = Path("requirements.txt")
HEAD = f"""# Versions of the libraries that decide the bytes of models and metrics. A change makes `train`
# and `evaluate` stale; changes of other libraries do not.
# `make lock` writes this file from {LOCK}.
"""


def main() -> None:
    """Read the lock file, write versions.yaml."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    files.write_text(paths.VERSIONS, text(LOCK.read_text(encoding="utf-8")))


def text(lock: str) -> str:
    """Return the content of versions.yaml; `lock` must have one version per library, for all systems."""
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
    errors.run(main)
