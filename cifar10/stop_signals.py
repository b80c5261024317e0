"""Signals that end a command: SIGTERM, SIGHUP and Ctrl-C raise an exception, for a clean end."""

import signal
import threading
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


_raised: list[KeyboardInterrupt] = []  # by signals


class Stopped(KeyboardInterrupt):
    """A signal has asked this process to end. Ctrl-C is a plain KeyboardInterrupt."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def heed() -> None:
    """Raise Stopped in the main thread on SIGTERM, SIGHUP and, on Windows, Ctrl-Break.

    An ignored SIGHUP stays ignored: `nohup` asks for it. An ignored SIGINT, as in a background job of a
    shell, has no effect here either, but `commands.interrupt` can end commands that this process starts.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _raise)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, _nothing)  # children inherit SIG_IGN, but not a handler


def name(error: KeyboardInterrupt) -> str:
    """Return what messages call the signal."""
    return signal.Signals(error.number).name if isinstance(error, Stopped) else "Ctrl-C"


def exit_code(error: KeyboardInterrupt) -> int:
    """Return the exit code after a signal, as shells count: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (error.number if isinstance(error, Stopped) else signal.SIGINT)


def raised() -> KeyboardInterrupt | None:
    """Return the exception that a signal has raised, also if other code replaced it by another one."""
    return _raised[-1] if _raised else None


def check() -> None:
    """Raise the exception of a signal again, if other code has dropped it: compiled code of a library can.

    A long loop calls this in every round.
    """
    if error := raised():
        raise error


def _raise(number: int, _: FrameType | None) -> None:
    _raised.append(KeyboardInterrupt() if number == signal.SIGINT else Stopped(number))
    raise _raised[-1]


def _nothing(_: int, __: FrameType | None) -> None:
    pass
