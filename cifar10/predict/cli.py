"""Classify images with the trained models; images unlike the training images are "none of these"."""

import argparse
import io
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cifar10 import errors, files
from cifar10.predict import arguments

if TYPE_CHECKING:
    import numpy as np

    from cifar10.data.images import Fit, Picture, Size
    from cifar10.evaluation.predictions import Answers
    from cifar10.predict.model_folder import ModelFolder
    from cifar10.predict.predictor import Classifier

# Slow imports are inside the functions, so that `--help` and usage errors are fast.

AT_ONCE = 640  # images between two updates of the progress bar; ten batches of the models


def run() -> None:
    """Run `main` as a command."""
    errors.run(main)


def main() -> None:
    """Read and classify the images, print the answers; exit with 1 if an image cannot be read."""
    options = arguments.parser(__doc__).parse_args()
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # its encoding may lack letters, as that of a pipe on Windows
        utf_8 = options.json or sys.platform == "win32"
        sys.stdout.reconfigure(encoding="utf-8" if utf_8 else None, errors="backslashreplace")
    from cifar10 import progress
    from cifar10.data import images, inputs
    from cifar10.predict import figure, model_folder

    folder = model_folder.find(options.models, options.model)
    chosen = folder.load_params()
    for name in options.model:
        chosen.model(name)
    if options.seed is not None:
        chosen.seed(options.seed)
    if options.saliency and options.figure is None:
        raise errors.UserError("--saliency: expected also --figure FILE.png, which shows the maps")
    names = inputs.expand(options.images)
    if options.figure is not None:
        figure.check(options.figure, names)
    size = _size(folder, options)
    pictures, unreadable = _read(names, options.fit, size)
    for reason in unreadable.values():
        progress.log(f"error: {reason}")
    for name, picture in pictures.items():
        for text in picture.warnings:
            images.warn(name, text)
    if pictures or options.json:
        _answer(options, folder, pictures, unreadable, size)
    if not pictures and not unreadable:
        raise errors.UserError("the given folders contain no files")
    sys.exit(1 if unreadable else 0)


def _size(folder: "ModelFolder", options: argparse.Namespace) -> "Size":
    """Return the size of the images that the models take."""
    from cifar10.evaluation import input_size

    chosen = folder.load_params()
    seeds = chosen.train.seeds if options.seed is None else [options.seed]
    names = options.model or chosen.models
    return input_size.common(folder.model(name, seed) for name in names for seed in seeds)


def _read(names: Sequence[str], fit: "Fit", size: "Size") -> tuple[dict[str, "Picture"], dict[str, str]]:
    """Read all pictures, by name, and errors by name."""
    from pathlib import Path

    from cifar10 import progress
    from cifar10.data import images, inputs

    found: dict[str, images.Picture] = {}
    unreadable: dict[str, str] = {}
    files = [name for name in dict.fromkeys(names) if name != inputs.STDIN]
    read = images.read_all([Path(name) for name in files], fit, size)
    with progress.bar(total=len(files), desc="reading", unit=" images") as bar:
        for name, picture in zip(files, read, strict=True):
            if isinstance(picture, images.PictureError):
                unreadable[name] = str(picture)
            else:
                found[name] = picture
            bar.update()
    if inputs.STDIN in names:
        try:
            content = sys.stdin.buffer.read(images.MAX_BYTES + 1)
            found[inputs.STDIN] = images.decode(content, fit, name="standard input", size=size)
        except images.PictureError as error:
            unreadable[inputs.STDIN] = str(error)
    return {name: found[name] for name in dict.fromkeys(names) if name in found}, unreadable


def _answer(
    options: argparse.Namespace,
    folder: "ModelFolder",
    pictures: Mapping[str, "Picture"],
    unreadable: Mapping[str, str],
    size: "Size",
) -> None:
    """Classify the pictures, print the answers, then draw them."""
    import numpy as np

    # before TensorFlow: `tensorflow_setup` hides modules that these need
    from cifar10 import progress
    from cifar10.evaluation import predictions
    from cifar10.training import tensorflow_setup

    with tensorflow_setup.tensorflow():
        from cifar10.predict import predictor
        from cifar10.training import models

        models.make_deterministic(seed=0)  # the same bits as `evaluate`
    classifier = predictor.load(options.model, options.seed, folder)
    seen = np.array([picture.pixels for picture in pictures.values()], np.uint8)
    seen = seen.reshape(-1, *size, 3)
    found = _classified(classifier, seen)
    names = [*pictures]
    if options.json:
        warnings = {name: picture.warnings for name, picture in pictures.items()}
        about = (classifier.seeds, classifier.detectors, classifier.temperatures)
        answers = predictions.content(names, *about, found, unreadable, warnings)
        print(files.json_text(answers), flush=True)
    else:
        print(predictions.table(names, classifier.classes, found), flush=True)
        for note in predictions.notes(classifier.detectors):
            progress.log(note)
    if options.figure is not None:
        maps = _explained(classifier, seen, found) if options.saliency else None
        _draw(options.figure, seen, names, found, classifier.classes, maps)


def _classified(classifier: "Classifier", seen: "np.ndarray") -> dict[str, "Answers"]:
    """Classify images in parts, with a progress bar; an answer does not depend on the other images."""
    from cifar10 import progress
    from cifar10.evaluation import predictions

    parts = []
    with progress.bar(total=len(seen), desc="classifying", unit=" images") as bar:
        for start in range(0, max(len(seen), 1), AT_ONCE):
            parts.append(classifier.classify(seen[start : start + AT_ONCE]))
            bar.update(len(seen[start : start + AT_ONCE]))
    return {name: predictions.joined([part[name] for part in parts]) for name in parts[0]}


def _explained(
    classifier: "Classifier", seen: "np.ndarray", found: Mapping[str, "Answers"]
) -> "dict[str, np.ndarray | None]":
    """Return the saliency maps of the drawn images, by model, for the class that the model gives them."""
    from cifar10.report.answer_plots import DRAWN

    shown = seen[:DRAWN]
    tops = {name: answers.probabilities[: len(shown)].argmax(axis=1) for name, answers in found.items()}
    return {name: classifier.explain(name, shown, top) for name, top in tops.items()}


def _draw(
    figure: str,
    seen: "np.ndarray",
    names: Sequence[str],
    found: Mapping[str, "Answers"],
    classes: Sequence[str],
    maps: "Mapping[str, np.ndarray | None] | None",
) -> None:
    from pathlib import Path

    from cifar10 import files, progress
    from cifar10.report import answer_plots, plots

    if not names:
        progress.log(f"warning: no picture to draw, {figure} is not written")
        return
    try:
        with files.replacing(Path(figure)) as beside:
            plots.save(answer_plots.answers(seen, names, found, classes, maps), beside)
    except (ValueError, RuntimeError) as error:  # more pixels than the format can hold
        raise OSError(f"cannot draw {figure}: {error}") from None


if __name__ == "__main__":
    run()
