"""The errors that a user can mend, and how a script ends on them."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """A mistake in the input: the message says what was expected, what was found and what to do."""


def run(main: Callable[[], None]) -> None:
    """Call `main` and end the process: 0 on success, 2 on a UserError, 1 on a failing disk, 130 on Ctrl-C.

    The person in front of the terminal gets one line on standard error, never a traceback, for what is
    not a fault of the program.
    """
    try:
        main()
    except UserError as error:
        sys.exit(_report(str(error), 2))
    except OSError as error:  # a full disk, a read-only folder, a file that is gone
        where = f": {error.filename}" if error.filename else ""
        sys.exit(_report(f"{error.strerror or error}{where}", 1))
    except KeyboardInterrupt:
        sys.exit(_report("interrupted; nothing half-written was left, run the same command again", 130))


def _report(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code
