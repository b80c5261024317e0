"""Classify images with the trained models; images unlike the training images are "none of these"."""

import argparse
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cifar10 import errors

if TYPE_CHECKING:
    import numpy as np

    from cifar10.data.images import Fit

# Slow imports are inside the functions, so that `--help` and usage errors are fast.


def run() -> None:
    """Run `main` as a command."""
    errors.run(main)


def main() -> None:
    """Read and classify the images, print the answers; exit with 1 if an image cannot be read."""
    options = _parser().parse_args()
    if sys.platform == "win32" and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # the default encoding of a pipe may lack letters
    from cifar10 import params, progress
    from cifar10.data import inputs

    chosen = params.load()
    for name in options.model:
        chosen.model(name)
    if options.seed is not None:
        chosen.seed(options.seed)
    pictures, unreadable = _read(inputs.expand(options.images), options.fit)
    for reason in unreadable.values():
        progress.log(f"error: {inputs.shown(reason)}")
    if pictures or options.json:
        _answer(options, pictures, unreadable)
    if not pictures and not unreadable:
        raise errors.UserError("the given folders contain no files")
    sys.exit(1 if unreadable else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cifar10-classify", description=__doc__)
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="a file, a folder (searched recursively) or - for standard input",
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME", help="use only this model (repeatable)"
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        help="answer with one training of each model (default: mean of the probabilities over all seeds)",
    )
    parser.add_argument(
        "--fit",
        choices=["crop", "pad"],
        default="crop",
        help="make a picture square: centre crop (default), or grey padding",
    )
    parser.add_argument("--json", action="store_true", help="print JSON with all probabilities")
    parser.add_argument(
        "--figure",
        metavar="FILE.png",
        help="draw the images as the models see them, with bars of the probabilities",
    )
    return parser


def _read(names: Sequence[str], fit: "Fit") -> tuple[dict[str, "np.ndarray"], dict[str, str]]:
    """Read all pictures: uint8 (32, 32, 3) by name, and errors by name."""
    from pathlib import Path

    from cifar10 import progress
    from cifar10.data import images, inputs

    found: dict[str, np.ndarray] = {}
    unreadable: dict[str, str] = {}
    files = [name for name in dict.fromkeys(names) if name != inputs.STDIN]
    with progress.bar(total=len(files), desc="reading", unit=" images") as bar:
        for name, picture in zip(files, images.read_all([Path(name) for name in files], fit), strict=True):
            if isinstance(picture, images.PictureError):
                unreadable[name] = str(picture)
            else:
                found[name] = picture
            bar.update()
    if inputs.STDIN in names:
        try:
            content = sys.stdin.buffer.read(images.MAX_BYTES + 1)
            found[inputs.STDIN] = images.read(content, fit, name="standard input")
        except images.PictureError as error:
            unreadable[inputs.STDIN] = str(error)
    return {name: found[name] for name in dict.fromkeys(names) if name in found}, unreadable


def _answer(
    options: argparse.Namespace, pictures: dict[str, "np.ndarray"], unreadable: dict[str, str]
) -> None:
    """Classify the pictures and print the answers."""
    import json
    from pathlib import Path

    import numpy as np

    # before TensorFlow: `tensorflow_setup` hides modules that these need
    from cifar10 import files
    from cifar10.evaluation import predictions
    from cifar10.training import tensorflow_setup

    with tensorflow_setup.tensorflow():
        from cifar10.predict import predictor
        from cifar10.training import models

        models.make_deterministic(seed=0)  # the same bits as `evaluate`
    classifier = predictor.load(options.model, options.seed)
    seen = np.array([*pictures.values()], np.uint8).reshape(-1, *models.INPUT_SHAPE)
    found = classifier.classify(seen)
    names = [*pictures]
    if options.figure:
        from cifar10.report import plots

        with files.replacing(Path(options.figure)) as beside:
            plots.save(plots.answers(seen, names, found, classifier.classes), beside)
    if options.json:
        print(
            json.dumps(
                predictions.content(names, classifier.seeds, classifier.detectors, found, unreadable),
                indent=2,
                ensure_ascii=False,
            )
        )
    else:
        print(predictions.table(names, classifier.classes, found))


if __name__ == "__main__":
    run()
