"""A `dvc repro` of one train stage, watched from outside."""

import codecs
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

LOGS = Path("models/checkpoints")  # beside the checkpoints; neither git nor DVC keeps them
COLUMNS = 110  # of the terminal that a training sees


class Training:
    """A train stage: `line` says how far it is, `lines` is all that it printed."""

    def __init__(self, stage: str):
        self.stage = stage
        self.name = stage.partition("@")[2]
        self.line = f"{self.name}: waiting"
        self.lines: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return LOGS / f"{self.name}.log"

    def run(self) -> int:
        """Run it to its end, following what it prints; return its exit code."""
        if self.stopped:
            return 0
        outside, inside = pty.openpty()  # on a terminal a training draws its progress
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        settings = termios.tcgetattr(inside)
        settings[1] &= ~termios.OPOST  # line ends come as they are written
        termios.tcsetattr(inside, termios.TCSANOW, settings)
        self.line = f"{self.name}: starting"
        self.process = subprocess.Popen(
            ["dvc", "--wait-for-lock", "repro", "--single-item", self.stage],
            stdin=subprocess.DEVNULL,
            stdout=inside,
            stderr=inside,
            start_new_session=True,  # Ctrl-C goes to the caller, who passes it on
        )
        os.close(inside)
        self._follow(outside)
        os.close(outside)
        code = self.process.wait()
        self.line = f"{self.name}: {'done' if code == 0 else 'interrupted' if self.stopped else 'failed'}"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        return code

    def interrupt(self) -> None:
        """End it as Ctrl-C would, or keep it from starting; its last full epoch stays for the next run."""
        self.stopped = True
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)

    def _follow(self, terminal: int) -> None:
        rest = ""
        for text in _read(terminal):
            *pieces, rest = re.split(r"(?<=[\r\n])", rest + text)
            for piece in [*pieces, rest]:
                if piece.startswith(f"{self.name}:"):
                    self.line = piece.strip()
            self.lines += [piece.rstrip() for piece in pieces if piece.endswith("\n") and piece.strip()]


def _read(terminal: int) -> Iterator[str]:
    """Yield what comes out of a terminal until its last writer is gone."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # so Linux tells of the end
            return
        if not chunk:
            return
        yield decoder.decode(chunk)
