"""Hold back what converters print."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from cifar10.errors import UserError


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop both output streams, also of code in C; on an unexpected error, print them on standard error."""
    sys.stdout.flush()
    sys.stderr.flush()
    streams = {number: os.dup(number) for number in (1, 2)}
    with tempfile.TemporaryFile() as held:
        for number in streams:
            os.dup2(held.fileno(), number)
        unexpected = False
        try:
            yield
        except (UserError, OSError):
            raise
        except Exception:
            unexpected = True
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, stream in streams.items():
                os.dup2(stream, number)
                os.close(stream)
            if unexpected:
                held.seek(0)
                os.write(2, held.read())
