"""Run `dvc repro` for one stage in its own process, and read its output line by line."""

import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cifar10 import commands, progress, stage_names

LOGS = Path("models/checkpoints")  # ignored by git and DVC
DIVERGED = 3  # exit code of errors.DivergedError; workers of a cluster have no errors module
LAST_LINES = 15  # number of lines to show of a failed stage's output


class StageRun:
    """One run of a stage of one trained model.

    Attributes:
        stage: name of the stage in DVC, for example train@model_0-1.
        name: what messages call the training, for example "model_0 seed 1".
        line: current state, as one line of text.
        lines: output of the run, without progress.
        messages: the part of `lines` that begins with `name`: "model_0 seed 1: epoch 1/10: loss ...".
        model: name of the model.
        stopped: whether `interrupt` was called.
    """

    def __init__(self, stage: str, folder: Path = Path(), tied: bool = False):
        """Prepare a run.

        Args:
            stage: name of the stage in DVC.
            folder: the root of the repository.
            tied: whether the stage is killed if this process dies.
        """
        self.stage = stage
        self.model, self.seed = stage_names.split(stage)
        self.name = stage_names.label(self.model, self.seed)
        self.line = f"{self.name}: waiting"
        self.lines: list[str] = []
        self.messages: list[str] = []
        self.stopped = False
        self._folder = folder
        self._tied = tied
        self._process: subprocess.Popen[str] | None = None
        self._started: float | None = None  # time.monotonic(), s
        self._duration: float | None = None  # s, of a run that has ended
        self._projected: float | None = None  # s, from the progress

    @property
    def log(self) -> Path:
        """The log file, written at the end of the run."""
        return self._folder / LOGS / f"{self.model}-seed_{self.seed}.{self.stage.partition('@')[0]}.log"

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self._duration is not None

    @property
    def running(self) -> bool:
        """Whether the run has begun and not ended."""
        return self._started is not None and not self.ended

    @property
    def elapsed(self) -> float:
        """Seconds since the run began; 0 before."""
        return 0.0 if self._started is None else time.monotonic() - self._started

    @property
    def expected(self) -> float | None:
        """Duration in seconds: measured, or projected from the progress; None if it is not known yet."""
        return self._duration if self.ended else self._projected

    @property
    def last_lines(self) -> list[str]:
        """The last lines of the output, to show if the stage fails."""
        return self.lines[-LAST_LINES:]

    @property
    def diverged(self) -> bool:
        """Whether the loss of the training is no number; DVC prints the exit code of the stage."""
        return any(line.endswith(f"exited with {DIVERGED}") for line in self.lines)

    def run(self, *options: str, hear: Callable[[str], object] | None = None) -> int:
        """Run the stage to its end; return its exit code.

        Args:
            options: more options for `dvc repro`.
            hear: called with each message, and every `progress.LOG_EVERY` seconds with the progress.
        """
        if self.stopped:
            return 0
        self.line = f"{self.name}: starting"
        command = (*commands.DVC, "--wait-for-lock", "repro", *options, "--single-item", self.stage)
        json_lines = {progress.VARIABLE: progress.JSON}
        self._started = time.monotonic()
        with commands.running(*command, folder=self._folder, tied=self._tied, **json_lines) as self._process:
            if self.stopped:  # while the process was being started
                commands.interrupt(self._process)
            self.follow(self._process.stdout or (), hear)
        code = self._process.returncode
        self._duration = self.elapsed
        self.line = f"{self.name}: {'done' if code == 0 else 'interrupted' if self.stopped else 'failed'}"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        return code

    def interrupt(self) -> None:
        """Interrupt the stage as Ctrl-C does, or prevent its start; the last full epoch is kept."""
        self.stopped = True
        if self._process:
            commands.interrupt(self._process)

    def kill(self) -> None:
        """Kill the stage and all its processes."""
        if self._process and self.running:
            commands.kill(self._process)

    def follow(self, printed: Iterable[str], hear: Callable[[str], object] | None = None) -> None:
        """Read the lines that the stage prints, and separate progress from other output."""
        told = time.monotonic()
        for line in map(str.rstrip, printed):
            if update := progress.read(line):
                self.line = progress.drawn(update)
                if update["rate"]:
                    self._projected = self.elapsed + (update["total"] - update["n"]) / update["rate"]
                if hear and time.monotonic() - told > progress.LOG_EVERY:
                    told = time.monotonic()
                    hear(progress.drawn(update, in_a_log=True))
            elif line:
                self.lines.append(line)
                if line.startswith(f"{self.name}: "):
                    self.messages.append(line)
                    if hear:
                        hear(line)
