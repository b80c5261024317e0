"""Command line of `cifar10-export`."""

import argparse
from pathlib import Path

from cifar10 import paths
from cifar10.export.formats import FORMATS

EXAMPLES = """examples:
  cifar10-export model_3 --format onnx                   one graph of all trainings, in exports/model_3-onnx/
  cifar10-export model_3 --format litert --quantize int8 8-bit weights, about a fourth of the size
  cifar10-export model_0 --format keras --seed 0         the training with seed 0
  cifar10-export model_0 --format savedmodel --output app/model --force
"""


def parser(description: str | None) -> argparse.ArgumentParser:
    """Build the parser."""
    command = argparse.ArgumentParser(
        prog="cifar10-export",
        description=description,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("model", metavar="MODEL", help="name in params.yaml")
    command.add_argument("--format", choices=[*FORMATS], required=True, help="format of the model")
    command.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="new folder for the model, model.json and example.py (default: exports/MODEL-FORMAT)",
    )
    command.add_argument(
        "--seed", metavar="N", help="export one training (default: the ensemble of all seeds, as one graph)"
    )
    command.add_argument("--quantize", choices=["int8"], help="8-bit weights, for litert and onnx")
    command.add_argument("--force", action="store_true", help="replace an earlier export")
    return command


def folder(options: argparse.Namespace) -> Path:
    """Return the folder to write: `--output`, or one named after the other options."""
    if options.output is not None:
        return Path(options.output)
    seed = None if options.seed is None else f"seed_{options.seed}"
    parts = (options.model, seed, options.format, options.quantize)
    return paths.EXPORTS / "-".join(part for part in parts if part)
