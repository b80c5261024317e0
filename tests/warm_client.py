"""Stand for Python: have the server of tests/warm_server.py run the command, or run it here.

Usage: python -IS warm_client.py PYTHON SOCKET ARGUMENTS-OF-PYTHON...
"""

import json
import os
import signal
import socket
import sys

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Send the command, pass signals on, end as the command ends."""
    python, address, *arguments = sys.argv[1:]
    known = arguments and (arguments[0] in ("-m", "-c") or not arguments[0].startswith("-"))
    code = ask(address, arguments) if known else None
    if code is None:
        os.execv(python, [python, *arguments])
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def ask(address: str, arguments: list[str]) -> int | None:
    """Return the exit code, minus the signal that ended it; None if the server does not run the command."""
    folder = os.getcwd()  # noqa: PTH109 - to import pathlib would take longer than all else here
    task = {"arguments": arguments, "folder": folder, "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(address)
            message = json.dumps(task).encode() + b"\n"
            sent = socket.send_fds(server, [message], [0, 1, 2])
            server.sendall(message[sent:])
        except OSError:
            return None
        for number in FORWARDED:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda number, _: server.sendall(b"%d\n" % number))
        answer = server.recv(100)
        return None if answer.startswith(b"refused") or not answer else int(answer)


if __name__ == "__main__":
    main()
