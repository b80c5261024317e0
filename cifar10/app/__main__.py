"""Open a page that asks the trained models what new images show, or whether they show none of the classes."""

import argparse
import importlib.util
import os
import signal
import tempfile
import threading

from cifar10 import errors

HOST, PORT = "127.0.0.1", 7860
ENVIRONMENT = {  # of Gradio and what it loads: nothing is reported or asked for outside this machine
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


def main() -> None:
    """Read the options, load the models, serve the page until Ctrl-C."""
    options = _parser().parse_args()
    if importlib.util.find_spec("gradio") is None:
        raise errors.UserError(
            "the page needs Gradio: `make app` installs and starts it, `pip install -e '.[app]'` installs it"
        )
    signal.signal(signal.SIGTERM, _end)  # as on Ctrl-C, what was uploaded goes
    with tempfile.TemporaryDirectory(prefix="cifar10-app-") as uploads:
        os.environ |= ENVIRONMENT | {"GRADIO_TEMP_DIR": uploads}
        for name in ("NO_PROXY", "no_proxy"):  # Gradio asks itself whether it has started
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", options.host]))
        _serve(options.host, options.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cifar10.app", description=__doc__)
    parser.add_argument(
        "--host",
        default=HOST,
        help="address to listen on (default: %(default)s, this machine alone; 0.0.0.0 for all that reach it)",
    )
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="N", help="port to listen on (default: %(default)s)"
    )
    return parser


def _serve(host: str, port: int) -> None:
    from cifar10 import progress
    from cifar10.app import page
    from cifar10.app.asking import Asking

    progress.log("loading the models")
    served = page.build(Asking())
    try:
        page.launch(served, host, port)
    except OSError as error:
        raise errors.UserError(
            f"cannot listen on {host}, port {port}: another program may; `--port {port + 1}` takes the next "
            f"({' '.join(str(error).split())[:80]})"
        ) from None
    progress.log(f"the page: http://{host}:{port} (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        progress.log("ended")
    finally:
        served.close(verbose=False)


def _end(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    errors.run(main)
