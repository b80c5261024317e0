"""A `dvc repro` of one stage in a process of its own, whose output is followed line by line."""

import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cifar10 import commands, progress

LOGS = Path("models/checkpoints")  # beside the checkpoints; neither git nor DVC keeps them
LAST_LINES = 15  # of a failed stage's output


class StageRun:
    """A stage of one model.

    Attributes:
        stage: its name in DVC, as in train@model_0.
        name: the model.
        line: how far it is.
        lines: what it printed, without its progress.
        messages: those of `lines` that the stage itself printed, as in "model_0: epoch 1/10: loss ...".
        stopped: whether `interrupt` was called.
    """

    def __init__(self, stage: str, folder: Path = Path(), tied: bool = False):
        """Prepare a run.

        Args:
            stage: its name in DVC.
            folder: the root of the repository.
            tied: whether the stage is killed if this process dies.
        """
        self.stage = stage
        self.name = stage.partition("@")[2]
        self.line = f"{self.name}: waiting"
        self.lines: list[str] = []
        self.messages: list[str] = []
        self.stopped = False
        self._folder = folder
        self._tied = tied
        self._process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> Path:
        """The file that gets `lines` at the end."""
        return self._folder / LOGS / f"{self.name}.log"

    @property
    def last_lines(self) -> list[str]:
        """The end of `lines`, to be shown if the stage fails."""
        return self.lines[-LAST_LINES:]

    def run(self, *options: str, hear: Callable[[str], object] | None = None) -> int:
        """Run the stage to its end; return its exit code.

        Args:
            options: of `dvc repro`.
            hear: called with each message, and every `progress.LOG_EVERY` seconds with how far the stage is.
        """
        if self.stopped:
            return 0
        self.line = f"{self.name}: starting"
        command = (*commands.DVC, "--wait-for-lock", "repro", *options, "--single-item", self.stage)
        json_lines = {progress.VARIABLE: progress.JSON}
        with commands.running(*command, folder=self._folder, tied=self._tied, **json_lines) as self._process:
            self.follow(self._process.stdout or (), hear)
        code = self._process.returncode
        self.line = f"{self.name}: {'done' if code == 0 else 'interrupted' if self.stopped else 'failed'}"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        return code

    def interrupt(self) -> None:
        """End the stage as Ctrl-C does, or keep it from starting; a training's last full epoch is kept."""
        self.stopped = True
        if self._process:
            commands.interrupt(self._process)

    def follow(self, printed: Iterable[str], hear: Callable[[str], object] | None = None) -> None:
        """Sort the lines that the stage prints into progress and the rest."""
        told = time.monotonic()
        for line in map(str.rstrip, printed):
            if update := progress.read(line):
                self.line = progress.drawn(update)
                if hear and time.monotonic() - told > progress.LOG_EVERY:
                    told = time.monotonic()
                    hear(progress.drawn(update, in_a_log=True))
            elif line:
                self.lines.append(line)
                if line.startswith(f"{self.name}: "):
                    self.messages.append(line)
                    if hear:
                        hear(line)
