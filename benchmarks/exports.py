"""Export every model in every format; record sizes and the comparison with the model.

Each export is a run of `cifar10-export`. Nothing is kept but the figures. MODELS in the environment names the
models (default: all). Writes reports/exports.json and .md.
"""

import argparse
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.record import record
from benchmarks.text import where
from cifar10 import errors, files, machine, params, paths
from cifar10.export.folder import DESCRIPTION
from cifar10.export.formats import FORMATS
from cifar10.report import render

STEM = paths.REPORTS / "exports"
PACKAGES = ("tensorflow-cpu", "keras", "onnxruntime", "ai-edge-litert")


def main() -> None:
    """Export, write the figures."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    chosen = params.load()
    names = os.environ.get("MODELS", "").split() or [*chosen.models]
    for name in names:
        chosen.model(name)
    kinds = [(kind, int8) for kind in FORMATS for int8 in (False, True) if FORMATS[kind].int8 or not int8]
    kinds.sort(key=lambda each: each[1])  # 8-bit weights last
    report = {
        "machine": machine.describe(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "data": render.data_name(files.read_json(paths.SOURCE)),
        "mirror": [name for name in names if name in chosen.predict.mirror],
        "seeds": chosen.train.seeds,
        "exports": [export(name, *kind) for name in names for kind in kinds],
    }
    record(STEM, report, markdown(report))


def export(name: str, kind: str, int8: bool) -> dict[str, Any]:
    """Export a model into a temporary folder; return its size in bytes and the comparison with the model."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "export"
        options = ["--format", kind, "--output", str(target), *(["--quantize", "int8"] if int8 else [])]
        command = [sys.executable, "-m", "cifar10.export", name, *options]
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise errors.UserError(f"{name}, {kind}: the export failed, see above")
        described = files.read_json(target / DESCRIPTION)
        size = sum(each["bytes"] for each in described["files"].values())
        return {"model": name, "format": kind, "int8": int8, "bytes": size, "check": described["check"]}


def markdown(report: dict[str, Any]) -> str:
    """Write a row per export, and the conditions."""
    lines = [
        "| model | format | size | largest difference | accuracy with 8 bits, change (95 % interval) |",
        "|---|---|---:|---:|---|",
    ]
    for each in report["exports"]:
        found = each["check"]
        name = f"`{each['format']}`" + (", int8" if each["int8"] else "")
        difference = f"{found['largest_difference']:.2g}"
        changed = accuracy(found) if each["int8"] and "change" in found else ""
        lines.append(
            f"| {each['model']} | {name} | {each['bytes'] / 1e6:.1f} MB | {difference} | {changed} |"
        )
    return "\n".join(["# Exports", "", *lines, "", conditions(report), ""])


def accuracy(found: dict[str, Any]) -> str:
    """Describe the accuracy of an export with 8-bit weights."""
    low, high = (f"{100 * each:+.2f}" for each in found["interval"])
    change = f"{100 * found['change']:+.2f} points ({low} to {high})"
    return f"{100 * found['accuracy']:.2f} %, {change}"


def conditions(report: dict[str, Any]) -> str:
    """Describe what was exported and compared, and the machine."""
    found = report["exports"][0]["check"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    mirrored = f" {' and '.join(report['mirror'])}: with the mirror image." if report["mirror"] else ""
    return (
        f"Ensembles of {len(report['seeds'])} trainings.{mirrored} The difference is that of a probability, "
        f"on {found['images']} {found['kind']} images of {report['data']}. {versions}; "
        f"{where(report['machine'])}."
    )


if __name__ == "__main__":
    errors.run(main)
