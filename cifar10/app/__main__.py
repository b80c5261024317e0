"""Open a page on which the trained models say what new pictures show, each beside the others."""

import argparse
import errno
import importlib.util
import logging
import os
import signal
import socket
import sys
import tempfile

from cifar10 import errors

# Everything else is imported where it is needed: `--help` and a port in use should not take seconds.

LOCAL = "127.0.0.1"
PORT = 7860
QUIET = {  # Gradio reads these when it is imported
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


def main() -> None:
    """Listen, load, serve until Ctrl-C."""
    options = _parser().parse_args()
    if importlib.util.find_spec("gradio") is None:
        raise errors.UserError(
            "the page needs gradio, which is not installed: `make app` installs it and opens the page, "
            "or run pip install -e '.[app]'"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit that tidies up, as Ctrl-C does
    try:
        with _listen(options.host, options.port) as listener, tempfile.TemporaryDirectory() as folder:
            os.environ |= QUIET | {"GRADIO_TEMP_DIR": folder}
            _serve(listener)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cifar10.app", description=__doc__)
    parser.add_argument(
        "--host",
        default=LOCAL,
        help=f"address to listen on (default {LOCAL}: this machine alone; 0.0.0.0: whoever reaches it)",
    )
    parser.add_argument(
        "--port", type=_port, default=PORT, help=f"default {PORT}; 0 takes one that is free and says which"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 0 to 65535")
    return int(text)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "something listens there already; name another port with --port, or --port 0"
        else:
            reason = f"{error.strerror}; name an address of this machine with --host, a port with --port"
        raise errors.UserError(f"cannot listen on {host} port {port}: {reason}") from None


def _serve(listener: socket.socket) -> None:
    # before TensorFlow, from which `tensorflow_setup` hides what these need
    from cifar10.app import server
    from cifar10.evaluation import ood, predictions  # noqa: F401
    from cifar10.training import tensorflow_setup

    with tensorflow_setup.tensorflow():
        from cifar10.training import models

        models.make_deterministic(seed=0)  # nothing is drawn; one thread, for the same bits as `evaluate`
    logging.getLogger("tensorflow").setLevel("ERROR")  # it warns when models are loaded anew
    from cifar10.app.asking import Asker

    server.serve(Asker(), listener)


if __name__ == "__main__":
    errors.run(main)
