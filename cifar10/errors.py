"""User errors, and the exit codes of scripts."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """A mistake in the input. The message says what was expected, what was found and what to do."""


def run(main: Callable[[], None]) -> None:
    """Call `main`; on an error, exit with 2 for UserError, 1 for OSError, 130 for Ctrl-C.

    These errors print a message on standard error, without a traceback.
    """
    try:
        main()
    except UserError as error:
        sys.exit(_report(str(error), 2))
    except OSError as error:  # full disk, read-only folder, missing file
        where = f": {error.filename}" if error.filename else ""
        sys.exit(_report(f"{error.strerror or error}{where}", 1))
    except KeyboardInterrupt:
        sys.exit(_report("interrupted; no file is half-written, run the same command again", 130))


def _report(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code
