"""User errors, and the exit codes of scripts."""

import contextlib
import errno
import gc
import os
import select
import sys
from collections.abc import Callable

from cifar10 import names, stop_signals

CLOSED = 141  # exit code if the reader of the output is gone, as of a program that SIGPIPE ends


class UserError(Exception):
    """A mistake in the input. The message says what was expected, what was found and what to do."""

    code = 2  # of the exit


class StaleError(UserError):
    """A file does not belong to the parameters: it must be made again."""

    code = 1


class BusyError(UserError):
    """Another process does the same work. The message names it."""

    code = getattr(os, "EX_TEMPFAIL", 75)


class DivergedError(UserError):
    """The loss of a training is no number. Other trainings are not concerned."""

    code = 3


def run(main: Callable[[], None]) -> None:
    """Call `main`; on an error, exit with the code of a UserError, 1 for OSError.

    Signals end `main` with an exception; the exit code is 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
    All these errors print a message on standard error, without a traceback. If the reader of the output is
    gone, as in `command | head -1`, the exit is silent.
    """
    stop_signals.heed()
    gc.freeze()  # imported modules are no garbage
    try:
        try:
            main()
        finally:
            gc.freeze()  # for its exit, Python would go through all that lives, for up to a second
            _flush()
    except KeyboardInterrupt as error:
        sys.exit(_interrupted(error))
    except Exception as error:
        if stopped := stop_signals.raised():  # code in C has made another exception of it
            sys.exit(_interrupted(stopped))
        match error:
            case UserError():
                sys.exit(_report(str(error), error.code))
            case OSError():  # full disk, read-only folder, missing file
                sys.exit(_failed(error))
        raise


def _interrupted(error: KeyboardInterrupt) -> int:
    by = f" by {stop_signals.name(error)}" if isinstance(error, stop_signals.Stopped) else ""
    message = f"interrupted{by}; no file is half-written, run the same command again"
    return _report(message, stop_signals.exit_code(error))


def _failed(error: OSError) -> int:
    if _is_closed(error) and any(map(_reader_is_gone, (1, 2))):
        _drop(1, 2)
        return CLOSED
    where = f": {error.filename}" if error.filename else ""
    return _report(f"{error.strerror or error}{where}", 1)


def _report(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        print(f"error: {names.lines(message)}", file=sys.stderr, flush=True)
    return code


def _flush() -> None:
    """Write what Python holds back of the output, here, where an error is reported."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except BrokenPipeError:
        raise
    except OSError:
        _drop(1)  # or Python reports it once more, with a traceback
        raise


def _is_closed(error: OSError) -> bool:
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == errno.EINVAL)


def _reader_is_gone(number: int) -> bool:
    """Check whether an output of this process is a pipe that nobody reads."""
    if sys.platform == "win32":
        return True
    poll = select.poll()
    poll.register(number, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _drop(*numbers: int) -> None:
    """Send what this process writes to its outputs to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in numbers:
        os.dup2(nowhere, number)
    os.close(nowhere)
