"""A `dvc repro` of one train stage, watched from outside."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import progress

LOGS = Path("models/checkpoints")  # beside the checkpoints; neither git nor DVC keeps them
COLUMNS = 110  # of a line that shows how far a training is
ENVIRONMENT = {  # of what DVC runs, too
    progress.VARIABLE: progress.JSON,
    "PYTHONUNBUFFERED": "1",  # a line comes as soon as it is written
    "PYTHONIOENCODING": "utf-8",
}


class Training:
    """A train stage: `line` says how far it is, `lines` is all that it printed but its progress."""

    def __init__(self, stage: str):
        self.stage = stage
        self.name = stage.partition("@")[2]
        self.line = f"{self.name}: waiting"
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.stopped = False

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return LOGS / f"{self.name}.log"

    def run(self) -> int:
        """Run it to its end, following what it prints; return its exit code."""
        if self.stopped:
            return 0
        self.line = f"{self.name}: starting"
        self.process = subprocess.Popen(
            ["dvc", "--wait-for-lock", "repro", "--single-item", self.stage],
            env=os.environ | ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C goes to the caller, who passes it on
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
        with self.process:
            self.follow(self.process.stdout or ())
        code = self.process.returncode
        self.line = f"{self.name}: {'done' if code == 0 else 'interrupted' if self.stopped else 'failed'}"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        return code

    def interrupt(self) -> None:
        """End it as Ctrl-C would, or keep it from starting; its last full epoch stays for the next run."""
        self.stopped = True
        if self.process and self.process.poll() is None:
            if sys.platform == "win32":
                self.process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                os.killpg(self.process.pid, signal.SIGINT)

    def follow(self, printed: Iterable[str]) -> None:
        """Keep up with the lines that it prints."""
        for line in map(str.rstrip, printed):
            if drawn := drawn_progress(line):
                self.line = drawn
            elif line:
                self.lines.append(line)


def drawn_progress(line: str) -> str:
    """Draw what a line of JSON says of a training's progress; "" if it is another line."""
    try:
        update = json.loads(line)["progress"]
        state = {key: update.pop(key) for key in ("n", "total", "elapsed", "rate")}
        desc = update.pop("desc")
    except (ValueError, TypeError, KeyError):
        return ""
    figures = ", ".join(f"{name}={value:.4f}" for name, value in update.items())
    return tqdm.format_meter(**state, prefix=desc, unit=" steps", ncols=COLUMNS, postfix=figures or None)
