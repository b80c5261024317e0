"""Copy results and benchmarks from reports/ into README.md and docs/."""

import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors

README = Path("README.md")
PICTURES = Path("docs/pictures.md")
OOD = Path("docs/ood.md")
DATA = Path("docs/data.md")
MODELS = Path("docs/models.md")
SPEED = Path("docs/speed.md")
EXPORT = Path("docs/export.md")
STATISTICS = Path("docs/statistics.md")
RESULTS = Path("reports/results.md")
BENCHMARK = Path("reports/benchmark.md")
CLASSIFY = Path("reports/classify.md")
FULL_RUN = Path("reports/full_run.json")
SERVE = Path("reports/serve.md")
REPLICATES = Path("reports/replicates.md")
LATENCY = Path("reports/latency.md")
DETECTOR_COST = Path("reports/detector_cost.md")
STARTUP = Path("reports/startup.md")
EXPORTS = Path("reports/exports.md")
RECIPE = Path("reports/recipe.md")
GPU = Path("reports/gpu.md")
AUDIT = Path("reports/audit_recall.md")
LABELS = Path("reports/label_recall.md")
LEARNING_CURVE = Path("reports/learning_curve.md")
PHOTOGRAPHS = Path("reports/learning_curve_photographs.md")
BASE_OOD = Path("reports/base_ood.md")


def main() -> None:
    """Replace the text between the markers."""
    for name, (page, source, content) in parts().items():
        replace(page, f"<!-- {name}: scripts/readme.py copies it from {source} -->", content)


def parts() -> dict[str, tuple[Path, Path, str]]:
    """Return by marker: the page to change, the source file, and the text to copy."""
    return {
        "results": (README, RESULTS, results()),
        "wall time": (README, FULL_RUN, wall_time(json.loads(FULL_RUN.read_text(encoding="utf-8")))),
        "ood": (OOD, RESULTS, f"\n{section(RESULTS, 'Out-of-distribution detection').strip()}\n"),
        "person": (OOD, RESULTS, f"\n{table(section(RESULTS, 'A person'))}"),
        "detector cost": (OOD, DETECTOR_COST, after_title(DETECTOR_COST)),
        "classify": (PICTURES, CLASSIFY, after_title(CLASSIFY)),
        "benchmark": (SPEED, BENCHMARK, after_title(BENCHMARK)),
        "recipe": (SPEED, RECIPE, after_title(RECIPE)),
        "gpu": (SPEED, GPU, after_title(GPU)),
        "latency": (SPEED, LATENCY, after_title(LATENCY)),
        "start": (SPEED, STARTUP, after_title(STARTUP)),
        "exports": (EXPORT, EXPORTS, after_title(EXPORTS)),
        "load": (SPEED, SERVE, after_title(SERVE)),
        "audit": (DATA, AUDIT, after_title(AUDIT)),
        "labels": (DATA, LABELS, after_title(LABELS)),
        "learning curve": (MODELS, LEARNING_CURVE, after_title(LEARNING_CURVE)),
        "photographs": (MODELS, PHOTOGRAPHS, after_title(PHOTOGRAPHS)),
        "base ood": (MODELS, BASE_OOD, after_title(BASE_OOD)),
        "replicates": (STATISTICS, REPLICATES, after_title(REPLICATES)),
    }


def replace(page: Path, begin: str, new: str) -> None:
    """Replace the text between the marker `begin` of a page and its end marker."""
    before, mark, rest = page.read_text(encoding="utf-8").partition(begin)
    _, end, after = rest.partition("<!-- end of")
    if not mark or not end:
        raise SystemExit(f"error: {page}: expected the line {begin} and an end marker")
    page.write_text(f"{before}{mark}\n{new}\n{end}{after}", encoding="utf-8")


def results() -> str:
    """Return the results table and the bold first sentence of the verdict."""
    verdict = re.search(r"^(\*\*.*\*\*)$", section(RESULTS, "Verdict"), re.MULTILINE)
    if not verdict:
        raise SystemExit(f"error: {RESULTS}: expected a verdict, found none: run `dvc repro`")
    return f"\n{table(RESULTS.read_text(encoding='utf-8'))}\n{verdict[1]}\n"


def wall_time(report: dict[str, Any]) -> str:
    """Describe the wall time of the whole pipeline and the processor, from benchmarks/full_run.py."""
    machine = report["machine"]
    instructions = (
        "AVX-512" if "avx512f" in machine["flags"] else "AVX2" if "avx2" in machine["flags"] else ""
    )
    processor = ", ".join(filter(None, [machine["processor"], instructions]))
    return (
        f"\nWall time of `make repro`, without the download: **{_minutes(report['seconds'])}** on "
        f"{processor}, {machine['cores']} cores, no GPU ({_listed(report['models'])}; "
        f"{len(report['seeds'])} seeds, {report['epochs']} epochs, {report['jobs']} stages in parallel); "
        f"{_minutes(report['one_seed_seconds'])} with one seed.\n"
    )


def _listed(names: list[str]) -> str:
    """List names in a sentence: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _minutes(seconds: float) -> str:
    """Format a duration: "3 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def after_title(path: Path) -> str:
    """Return the text of a file without its first line."""
    return f"\n{path.read_text(encoding='utf-8').partition(chr(10))[2].strip()}\n"


def section(path: Path, title: str) -> str:
    """Return the text of a section, without its heading."""
    _, mark, rest = path.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    if not mark:
        raise SystemExit(f"error: {path}: expected a section {title!r}, found none: run `dvc repro`")
    return rest.partition("\n## ")[0]


def table(text: str) -> str:
    """Return the first table of a text."""
    found = re.search(r"(^\|.*\n)+", text, re.MULTILINE)
    if not found:
        raise SystemExit("error: expected a table in the text to copy, found none")
    return found[0]


if __name__ == "__main__":
    errors.run(main)
