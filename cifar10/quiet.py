"""Keep TensorFlow's greetings off the terminal, and nothing else."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# TensorFlow 2.21 prints these from C++ before any setting of the log level is read.
GREETING = re.compile(
    rb"^(WARNING: All log messages before absl::InitializeLog|I0000 .* (port|cpu_feature_guard)\.cc)"
)


@contextlib.contextmanager
def tensorflow() -> Iterator[None]:
    """Hold back what is written to standard error, then pass on all of it but TensorFlow's greetings."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            for line in held:
                if not GREETING.match(line):
                    os.write(2, line)
