"""Import TensorFlow and Keras without start-up messages and unused libraries."""

import contextlib
import gc
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from cifar10 import arithmetic

# TensorFlow 2.21 prints these from C++ before it reads any log level.
GREETING = re.compile(
    rb"^(WARNING: All log messages before absl::InitializeLog|I0000 .* (port|cpu_feature_guard)\.cc)"
)

# Keras imports these, if installed, for features that this project does not use. They cost every training
# more than a second and 90 MB.
SPARED = ("matplotlib", "pandas", "sklearn")


@contextlib.contextmanager
def tensorflow(portable: bool = True) -> Iterator[None]:
    """Wrap the first import of TensorFlow and Keras.

    Args:
        portable: as for `arithmetic.pin`.
    """
    arithmetic.pin(portable)
    with _absent(SPARED), _without_greetings(), _without_collector():
        yield


@contextlib.contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """Make imports of these modules fail, unless they are loaded already."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Stop Python's garbage collector, and exempt from it what was made meanwhile (`gc.freeze`).

    Imported modules are no garbage. The collector takes 1 to 2 s of a core to go through those of
    TensorFlow: while they are imported, and at the exit.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _without_greetings() -> Iterator[None]:
    """Buffer standard error, then write it without TensorFlow's start-up messages."""
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
