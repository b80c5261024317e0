"""Serve a page and an HTTP API on which the trained models classify pictures."""

import argparse
import importlib.util
import logging
import re
import signal
import socket
import sys
from typing import TYPE_CHECKING

from cifar10 import errors
from cifar10.app import address

if TYPE_CHECKING:
    from cifar10.predict.model_folder import ModelFolder

# Slow imports are inside the functions, so that `--help` and the error for a used port are fast.

LOCAL = "127.0.0.1"
PORT = 7860
NEEDED = ("fastapi", "fastapi_offline", "multipart", "uvicorn")  # of the extra `app`


def run() -> None:
    """Run `main` as a command."""
    errors.run(main)


def main() -> None:
    """Listen, load, serve until Ctrl-C or SIGTERM."""
    options = _parser().parse_args()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise errors.UserError(
            f"the page needs {', '.join(missing)}, not installed here: run `make app`, which installs them; "
            "outside a checkout, install the wheel with its extra: pip install 'FILE.whl[app]'"
        )
    from cifar10.predict import model_folder

    folder = model_folder.find(options.models)
    if options.seed is not None or not folder.here:
        chosen = folder.load_params()
        if options.seed is not None:
            chosen.seed(options.seed)
    # the server finishes the requests in progress, then raises the signal again
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if (hang_up := getattr(signal, "SIGHUP", None)) and signal.getsignal(hang_up) is not signal.SIG_IGN:
        signal.signal(hang_up, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        with address.listen(options.host, options.port) as listener:
            _serve(options, folder, listener)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cifar10-page", description=__doc__)
    parser.add_argument(
        "--host",
        type=address.host,
        default=LOCAL,
        help=f"address to listen on (default {LOCAL}: only this machine; 0.0.0.0: all interfaces)",
    )
    parser.add_argument(
        "--port", type=_port, default=PORT, help=f"port (default {PORT}); 0 takes a free port and prints it"
    )
    parser.add_argument(
        "--root-path",
        type=_root_path,
        default="",
        metavar="PATH",
        help="behind a reverse proxy: the path that it removes, such as /cifar10",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        type=address.allowed,
        default=[],
        metavar="NAME",
        help="a host name that visitors use, such as that of a reverse proxy (may be repeated)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        help="answer with one training of each model (default: mean of the probabilities over all seeds)",
    )
    parser.add_argument(
        "--models",
        metavar="FOLDER",
        help="folder or URL of published models, or another checkout (default: this checkout)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 0 to 65535")
    return int(text)


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if not re.fullmatch(r"(/[\w.~-]+)*", path, re.ASCII):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a path such as /cifar10")
    return path


def _serve(options: argparse.Namespace, folder: "ModelFolder", listener: socket.socket) -> None:
    # before TensorFlow, from which `tensorflow_setup` hides what these need
    from cifar10.app import middleware, server
    from cifar10.evaluation import detector_fit, predictions  # noqa: F401
    from cifar10.training import tensorflow_setup

    with tensorflow_setup.tensorflow():
        from cifar10.training import models

        models.make_deterministic(seed=0)  # nothing is drawn; one thread, for the same bits as `evaluate`
    logging.getLogger("tensorflow").setLevel("ERROR")  # it warns when models are loaded anew
    from cifar10.app.routes import application
    from cifar10.app.service import PredictionService

    bound = listener.getsockname()[0]  # 0.0.0.0 also for the spellings 0 and 00.0
    names = [] if bound == options.host or address.is_ipv6(options.host) else [options.host]
    hosts = middleware.hosts(bound, [*names, *options.allowed_host])
    app = application(PredictionService(options.seed, folder), hosts)
    server.serve(app, listener, options.root_path)


if __name__ == "__main__":
    run()
