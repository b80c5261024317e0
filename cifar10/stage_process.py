"""Run the script of a stage: alone, on unchanged inputs, and not longer than the DVC that started it."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from cifar10 import errors, locks, paths, stage_inputs

BY_DVC = "DVC_STAGE"  # DVC sets this environment variable for the commands of stages
SHELLS = ("ash", "bash", "cmd.exe", "dash", "fish", "ksh", "sh", "zsh")
ADOPTERS = ("init", "launchd", "systemd")  # parents of processes whose own parent has ended; so is process 1
POLL = 0.5  # seconds from one look at the parent to the next
PATIENCE = 10.0  # seconds: an orphan needs some to end
LAST = 15.0  # seconds from the signal to the end of a process that does not heed it


def run(main: Callable[[], None], before: Callable[[], None] | None = None) -> None:
    """Call `main` of a stage's script and exit as `errors.run` does.

    The exit code is 75 if another process runs the same stage, and 1 if an input has changed meanwhile.

    Args:
        main: reads the command line and does the work.
        before: changes inputs; called first.
    """
    name, arguments = Path(sys.argv[0]).stem, sys.argv[1:]
    if any(argument.startswith("-") for argument in arguments):
        return errors.run(main)  # --help
    return errors.run(lambda: _run(main, before, name, arguments))


def _run(
    main: Callable[[], None], before: Callable[[], None] | None, stage: str, arguments: list[str]
) -> None:
    if BY_DVC in os.environ:
        threading.Thread(target=_watch, args=(_launchers(),), daemon=True).start()
    label = f"{stage}@{'-'.join(arguments)}" if arguments else stage
    busy = f"{label}: {{process}} runs this stage: wait for its end, or end it"
    with locks.held(paths.lock(label), busy, PATIENCE):
        if before:
            before()
        inputs = stage_inputs.read(stage, arguments)
        main()
        if changed := stage_inputs.changed(inputs, stage_inputs.read(stage, arguments)):
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
            sys.exit(
                f"error: {label}: changed while the stage was running: {', '.join(changed[:3])}{more}; its "
                "outputs belong to the earlier content and are not recorded: run the same command again"
            )


def _launchers() -> list[psutil.Process]:
    """List the processes that wait for this one: DVC, and the shell between DVC and this process.

    Empty if DVC has ended already, while this process was starting.
    """
    found = []
    try:
        for process in psutil.Process().parents():
            found.append(process)
            if process.name().lower() not in SHELLS:
                return [] if _adopts(process) else found
    except psutil.NoSuchProcess:  # ended since it was listed
        pass
    return []


def _adopts(process: psutil.Process) -> bool:
    """Tell whether a process is one that adopts orphans; in a container, DVC itself can be process 1."""
    if process.name().lower() in ADOPTERS:
        return True
    try:
        return process.pid == 1 and not any("dvc" in word or "python" in word for word in process.cmdline())
    except psutil.AccessDenied:  # of another user
        return True


def _watch(launchers: list[psutil.Process]) -> None:
    """End this process when one of `launchers` has ended: nobody would record what it writes."""
    while launchers and all(map(_runs, launchers)):
        time.sleep(POLL)
    os.kill(os.getpid(), signal.SIGTERM)  # raises in the main thread; on Windows, the end
    time.sleep(LAST)
    os._exit(128 + signal.SIGTERM)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
