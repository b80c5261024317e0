"""Run a script as another machine computes: `python tests/elsewhere.py INSTRUCTIONS SCRIPT ARGUMENTS...`.

INSTRUCTIONS is the highest set that oneDNN may use (SSE41, AVX2, AVX512_CORE), or `none` for TensorFlow
without oneDNN. The environment cannot do that, since the package pins it.
"""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import arithmetic


def pretend(instructions: str) -> None:
    """Change what the package pins in this process."""
    if instructions == "none":
        arithmetic.EVERYWHERE["TF_ENABLE_ONEDNN_OPTS"] = "0"
    else:
        arithmetic.PORTABLE = arithmetic.FASTEST = instructions
    arithmetic.pin()


if __name__ == "__main__":
    _, chosen, *sys.argv[:] = sys.argv
    pretend(chosen)
    runpy.run_path(sys.argv[0], run_name="__main__")
