"""Time a process that imports TensorFlow and Keras and does nothing else, from start to exit.

One side imports them as the stages do (cifar10/training/tensorflow_setup.py), the other plainly. Environment
variable: REPEATS (default: 9). Writes reports/startup.json and reports/startup.md.
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.record import record
from benchmarks.run import environment, number
from benchmarks.text import where
from benchmarks.timing import in_turn
from cifar10 import errors, machine, paths

STEM = paths.REPORTS / "startup"
IMPORT = "import keras, tensorflow"
SIDES = {
    "plain": IMPORT,
    "ours": f"from cifar10.training import tensorflow_setup\nwith tensorflow_setup.tensorflow(): {IMPORT}",
}


def main() -> None:
    """Run both sides in turn, write the results."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    repeats = number("REPEATS", 9)
    commands = {side: [sys.executable, "-c", code] for side, code in SIDES.items()}
    in_turn(commands, 1, environment())  # reads the files from the disk; not counted
    report = {"machine": machine.describe(), "seconds": in_turn(commands, repeats, environment())}
    record(STEM, report, markdown(report))


def markdown(report: dict[str, Any]) -> str:
    """Write the table and the conditions of the measurement."""
    lines = ["| time | as the stages import it | plain import | ratio |", "|---|---:|---:|---:|"]
    for clock, name in (("wall", "wall"), ("cpu", "CPU")):
        ours, plain = (statistics.median(report["seconds"][side][clock]) for side in ("ours", "plain"))
        lines.append(f"| {name} | {ours:.2f} s | {plain:.2f} s | {ours / plain:.2f} |")
    told = (
        "A process that imports TensorFlow and Keras, from start to exit. Medians of the runs of each side, "
        f"in turn; their number: {len(report['seconds']['ours']['wall'])}. "
        f"Measured on {where(report['machine'])}."
    )
    return "\n".join(["# Start and exit", "", *lines, "", told, ""])


if __name__ == "__main__":
    errors.run(main)
