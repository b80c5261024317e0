"""A record of the addresses that Python processes look up or connect to, and of the files that they write."""

import os
from pathlib import Path

# Keeps the record in the file that the environment variable RECORD names, from when Python runs it.
CODE = """
import os, sys
RECORD = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
SOCKETS = ("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto")
def record(event, arguments):
    if event in SOCKETS:
        address = arguments[0] if event == "socket.getaddrinfo" else arguments[-1]
        os.write(RECORD, f"{event} {address}\\n".encode())
    if event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
        os.write(RECORD, f"write {arguments[0]!r}\\n".encode())
sys.addaudithook(record)
"""


def environment(root: Path, import_path: str | None) -> dict[str, str]:
    """Return variables with which each Python process starts to keep a record before it imports anything.

    Args:
        root: a new folder, which gets the record.
        import_path: PYTHONPATH so far, if any.
    """
    hook = root / "hook"
    hook.mkdir(parents=True)
    (hook / "sitecustomize.py").write_text(CODE)
    import_paths = [str(hook), *([import_path] if import_path else [])]
    return {"PYTHONPATH": os.pathsep.join(import_paths), "RECORD": str(root / "record")}


def read(root: Path) -> list[str]:
    """Return the record: "write 'FILE'" or "socket.EVENT ADDRESS"."""
    return (root / "record").read_text().splitlines()
