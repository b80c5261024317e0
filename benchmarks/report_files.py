"""Write the results of a benchmark as JSON, Markdown and PNG."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.record import record
from cifar10 import files
from cifar10.report import plots


def write(stem: Path, report: dict[str, Any], text: str, figure: Figure) -> None:
    """Write the report, its text and its figure beside each other, and print the text.

    Args:
        stem: path of the files without a suffix.
        report: written as JSON.
        text: written as Markdown.
        figure: written as PNG.
    """
    with files.replacing(stem.with_suffix(".png")) as beside:
        plots.save(figure, beside)
    record(stem, report, text)
