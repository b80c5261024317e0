"""Bring everything up to date, with one training per core at a time.

DVC decides which stages are stale and records the results; this script runs several `dvc repro` in parallel.
Plain `dvc repro` gives the same bytes. JOBS=n in the environment sets the number of parallel trainings.
"""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import commands, errors, machine, params, staleness
from cifar10.stage_run import StageRun

console = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Prepare the data, run the stale trainings in parallel, then run the other stages."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    jobs = wanted_jobs()
    params.load()  # a fault of the file in one line, before DVC expands dvc.yaml with it
    commands.show(*commands.DVC, "repro", "preprocess")
    trainings = [StageRun(stage) for stage in staleness.stale("train")]
    if len(trainings) > 1:
        train(trainings, jobs)
    commands.show(*commands.DVC, "repro")


def wanted_jobs() -> int:
    """Read JOBS, or count the cores that this process may use."""
    text = os.environ.get("JOBS") or str(machine.cores())
    if not text.isdecimal() or int(text) == 0:
        raise SystemExit(f"error: JOBS: got {text!r}, expected how many trainings to run at once, 1 or more")
    return int(text)


def train(trainings: list[StageRun], jobs: int) -> None:
    """Run the trainings, `jobs` at a time; if one fails, interrupt the others and exit with its log."""
    with ThreadPoolExecutor(jobs) as pool, Display(trainings) as show:
        futures = {pool.submit(training.run): training for training in trainings}
        pending, failed = set(futures), []
        try:
            while pending:
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                show()
                failed += [
                    futures[future] for future in done if future.result() and not futures[future].stopped
                ]
                for training in trainings if failed else []:
                    training.interrupt()
        except KeyboardInterrupt:
            for training in trainings:
                training.interrupt()
            wait(pending)
            raise SystemExit(
                "interrupted: `make repro` goes on after each training's last full epoch"
            ) from None
    for training in failed[:1]:
        last = "\n".join(f"  {line}" for line in training.last_lines)
        raise SystemExit(f"error: {training.stage} failed; the end of {training.log}:\n{last}")


class Display:
    """Show the state of the trainings: live lines on a terminal, otherwise only their messages."""

    def __init__(self, trainings: list[StageRun]):
        self.trainings = trainings
        self.printed = dict.fromkeys(trainings, 0)
        self.live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Callable[[], None]:
        if self.live:
            self.live.start()
        return self.show

    def __exit__(self, *_: object) -> None:
        self.show()
        if self.live:
            self.live.stop()

    def show(self) -> None:
        """Print new messages and update the live lines."""
        for training in self.trainings:
            new = training.messages[self.printed[training] :]
            self.printed[training] += len(new)
            for line in new:
                console.print(line, markup=False)
        if self.live:
            lines = [Text(training.line, no_wrap=True, overflow="ellipsis") for training in self.trainings]
            self.live.update(Group(*lines), refresh=True)


if __name__ == "__main__":
    errors.run(main)
