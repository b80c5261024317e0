"""Run a script with other arithmetic: `python tests/elsewhere.py INSTRUCTIONS SCRIPT ARGUMENTS...`.

INSTRUCTIONS is the highest instruction set for oneDNN (SSE41, AVX2, AVX512_CORE), or `none` for TensorFlow
without oneDNN. Environment variables cannot do this, because the package sets them.
"""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import arithmetic


def pretend(instructions: str) -> None:
    """Change the pinned arithmetic of this process."""
    if instructions == "none":
        arithmetic.EVERYWHERE["TF_ENABLE_ONEDNN_OPTS"] = "0"
    else:
        arithmetic.PORTABLE = arithmetic.FASTEST = instructions
    arithmetic.pin()


if __name__ == "__main__":
    _, chosen, *sys.argv[:] = sys.argv
    pretend(chosen)
    runpy.run_path(sys.argv[0], run_name="__main__")
