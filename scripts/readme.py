"""Copy the results into README.md and the benchmark into docs/speed.md, between their markers."""

import re
from pathlib import Path

README = Path("README.md")
SPEED = Path("docs/speed.md")
RESULTS = Path("reports/results.md")
BENCHMARK = Path("reports/benchmark.md")
CLASSIFY = Path("reports/classify.md")


def main() -> None:
    """Replace the text between all markers."""
    for name, (page, source, content) in parts().items():
        replace(page, f"<!-- {name}: scripts/readme.py copies it from {source} -->", content)


def parts() -> dict[str, tuple[Path, Path, str]]:
    """Collect the texts to copy: target page, source file and text, by name of the marker."""
    none, person = (f"\n{table(section(RESULTS, title))}" for title in ("None of these", "A person"))
    return {
        "results": (README, RESULTS, results()),
        "none of these": (README, RESULTS, none),
        "person": (README, RESULTS, person),
        "classify": (README, CLASSIFY, after_title(CLASSIFY)),
        "benchmark": (SPEED, BENCHMARK, after_title(BENCHMARK)),
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
    main()
