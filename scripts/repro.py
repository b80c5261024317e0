"""Bring everything up to date, with one training or evaluation per core at a time.

DVC decides which stages are stale and records the results; this script runs several `dvc repro` in parallel.
Plain `dvc repro` gives the same bytes. JOBS=n in the environment sets the number of parallel stages.
"""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NoReturn

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import (
    commands,
    dvc_locks,
    errors,
    git,
    locks,
    machine,
    params,
    paths,
    staleness,
    stop_signals,
    time_left,
)
from cifar10.data import unused_folder
from cifar10.stage_run import StageRun

console = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Prepare the data, run the stale trainings and evaluations in parallel, then run the other stages."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    jobs = wanted_jobs()
    git.check()
    chosen = params.load()  # a fault of the file in one line, before DVC expands dvc.yaml with it
    with locks.held(paths.lock("repro"), "another run is in progress ({process}): wait for it, or stop it"):
        dvc_locks.release_dead()
        unused_folder.make(chosen.data)
        prepare(chosen)
        repro(jobs)


def repro(jobs: int) -> None:
    """Run all stale stages. A training whose loss is no number ends alone; then there is no report."""
    commands.show(*commands.DVC, "repro", "preprocess")
    diverged: list[StageRun] = []
    for kind, noun in (("train", "trainings"), ("evaluate", "evaluations")):
        runs = [StageRun(stage, tied=True) for stage in staleness.stale(kind)]
        lost = {(each.model, each.seed) for each in diverged}
        runs = [each for each in runs if (each.model, each.seed) not in lost]
        if len(runs) > 1 or (runs and diverged):
            diverged += run(runs, jobs, noun)
    if diverged:
        fail(diverged)
    commands.show(*commands.DVC, "repro")


def prepare(chosen: params.Params) -> None:
    """Check the data source before DVC does; run `download` for another CIFAR10_ARCHIVE or weights."""
    from cifar10.data import preparation  # here: it imports Pillow and more

    if preparation.needs_download(chosen):
        commands.show(*commands.DVC, "repro", "--force", "--single-item", "download")


def wanted_jobs() -> int:
    """Read JOBS, or count the cores that this process may use."""
    text = os.environ.get("JOBS") or str(machine.cores())
    if not text.isdecimal() or int(text) == 0:
        raise SystemExit(f"error: JOBS: got {text!r}, expected how many stages to run at once, 1 or more")
    return int(text)


def run(runs: list[StageRun], jobs: int, noun: str) -> list[StageRun]:
    """Run stages, `jobs` at a time; if one fails, interrupt the others and exit with its log.

    The others go on if the loss of a training is no number.

    Args:
        runs: in the order in which they start.
        jobs: number of stages at once.
        noun: what messages call the stages: trainings or evaluations.

    Returns:
        The trainings whose loss is no number.
    """
    stopped: KeyboardInterrupt | None = None
    with ThreadPoolExecutor(jobs) as pool, Display(runs, jobs, noun) as show:
        futures = {pool.submit(each.run): each for each in runs}
        pending, failed = set(futures), []
        try:
            while pending:
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                show()
                failed += [
                    futures[future] for future in done if future.result() and not futures[future].stopped
                ]
                for each in runs if any(not one.diverged for one in failed) else []:
                    each.interrupt()
        except KeyboardInterrupt as signal:
            stop(runs, pending)
            stopped = signal
    if stopped:
        rest = "`make repro` resumes each training after its last full epoch"
        print(f"interrupted by {stop_signals.name(stopped)}: {rest}", file=sys.stderr)
        sys.exit(stop_signals.exit_code(stopped))
    if all(each.diverged for each in failed):
        return failed
    return fail([each for each in failed if not each.diverged])


def fail(failed: list[StageRun]) -> NoReturn:
    """Exit with the log of the first of these stages, and name the others."""
    first, *others = failed
    last = "\n".join(f"  {line}" for line in first.last_lines)
    more = f"; also failed: {', '.join(each.stage for each in others)}" if others else ""
    raise SystemExit(f"error: {first.stage} failed{more}; the end of {first.log}:\n{last}")


def stop(runs: list[StageRun], pending: set[Future[int]]) -> None:
    """Interrupt stages; kill them after `commands.GRACE` seconds, or at a second signal."""
    for each in runs:
        each.interrupt()
    try:
        wait(pending, timeout=commands.GRACE)
    finally:
        for each in runs:
            each.kill()


class Display:
    """Show the state of the stages and what remains: live on a terminal, otherwise after each stage."""

    def __init__(self, runs: list[StageRun], jobs: int, noun: str):
        self.runs, self.jobs, self.noun = runs, jobs, noun
        self.printed = dict.fromkeys(runs, 0)
        self.ended = -1  # number of runs that had ended at the last summary
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
        """Print new messages; update the live lines, or print what remains when a stage has ended."""
        for each in self.runs:
            new = each.messages[self.printed[each] :]
            self.printed[each] += len(new)
            for line in new:
                console.print(line, markup=False)
        ended = sum(each.ended and not each.stopped for each in self.runs)
        if self.live:
            lines = [*(each.line for each in self.runs), self.summary(ended)]
            shown = [Text(line, no_wrap=True, overflow="ellipsis") for line in lines]
            self.live.update(Group(*shown), refresh=True)
        elif ended != self.ended:
            console.print(self.summary(ended), markup=False)
        self.ended = ended

    def summary(self, ended: int) -> str:
        """Say how many stages have ended and how much time is left."""
        left = time_left.text(time_left.estimate(self.runs, self.jobs)) if ended < len(self.runs) else ""
        return ", ".join(filter(None, [f"{ended} of {len(self.runs)} {self.noun} done", left]))


if __name__ == "__main__":
    errors.run(main)
