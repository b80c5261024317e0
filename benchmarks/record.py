"""Write the results of a benchmark to reports/."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cifar10 import files


def record(stem: Path, report: Mapping[str, Any], text: str) -> None:
    """Write figures to `stem`.json and their description to `stem`.md, and print the description."""
    files.write_json(stem.with_suffix(".json"), report)
    files.write_text(stem.with_suffix(".md"), text)
    print(text)
