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
    folder = os.getcwd()  # noqa: PTH109 - to import pathlib would take longer than all else here
    code = ask(address, arguments, folder, dict(os.environ), (0, 1, 2), pass_signals_on)
    if code is None:
        os.execv(python, [python, *arguments])
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def ask(address, arguments, folder, environment, streams, connected=lambda server: None):
    """Have the server run a command of Python.

    Args:
        address: path of its socket.
        arguments: of Python.
        folder: where the command runs.
        environment: of the command.
        streams: file descriptors of its standard input, output and error.
        connected: called with the socket once the command is sent.

    Returns:
        The exit code, or minus the signal that ended it; None if the server does not run the command.
    """
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-m", "-c")):
        return None
    task = {"arguments": arguments, "folder": folder, "environment": environment}
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(address)
            message = json.dumps(task).encode() + b"\n"
            sent = socket.send_fds(server, [message], streams)
            server.sendall(message[sent:])
        except OSError:
            return None
        connected(server)
        answer = server.recv(100)
        return None if answer.startswith(b"refused") or not answer else int(answer)


def pass_signals_on(server):
    """Send the signals that this process gets to the command."""
    for number in FORWARDED:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: server.sendall(b"%d\n" % number))


if __name__ == "__main__":
    main()
