"""Command line of `cifar10-classify`."""

import argparse
import sys
from typing import NoReturn

from cifar10 import names


class _Parser(argparse.ArgumentParser):
    """Explains how to name a file that begins with a dash."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with 2."""
        given = sys.argv[1:]
        end = given.index("--") if "--" in given else len(given)
        dashed = [text for text in given[:end] if text.startswith("-") and "." in text and "=" not in text]
        if dashed:
            message += f"; if {dashed[0]} is a file, write ./{dashed[0]}, or -- before the files"
        super().error(names.lines(message))


def parser(description: str | None) -> argparse.ArgumentParser:
    """Build the parser."""
    command = _Parser(prog="cifar10-classify", description=description)
    command.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="a file, a folder (searched recursively) or - for standard input",
    )
    command.add_argument(
        "--model", action="append", default=[], metavar="NAME", help="use only this model (repeatable)"
    )
    command.add_argument(
        "--seed",
        metavar="N",
        help="answer with one training of each model (default: mean of the probabilities over all seeds)",
    )
    command.add_argument(
        "--models",
        metavar="FOLDER",
        help="folder or URL of published models, or another checkout (default: this checkout)",
    )
    command.add_argument(
        "--fit",
        choices=["crop", "pad"],
        default="crop",
        help="how a picture gets the shape of the input: centre crop (default), or grey padding",
    )
    command.add_argument("--json", action="store_true", help="print JSON with all probabilities")
    command.add_argument(
        "--figure",
        metavar="FILE.png",
        help="draw the images as the models see them, with bars of the probabilities; also .jpg, .pdf, .svg",
    )
    command.add_argument(
        "--saliency",
        action="store_true",
        help="add the saliency map (Grad-CAM) of each answer to the figure",
    )
    return command
