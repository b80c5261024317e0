"""Copy the results and the benchmarks from reports/ into README.md, between their marks."""

import re
from pathlib import Path

README = Path("README.md")
RESULTS = Path("reports/results.md")
BENCHMARK = Path("reports/benchmark.md")
CLASSIFY = Path("reports/classify.md")


def main() -> None:
    """Replace what stands between the marks."""
    text = README.read_text(encoding="utf-8")
    for name, (source, content) in parts().items():
        text = replaced(text, f"<!-- {name}: scripts/readme.py copies it from {source} -->", content)
    README.write_text(text, encoding="utf-8")


def parts() -> dict[str, tuple[Path, str]]:
    """Gather what is copied: by mark, the file that it comes from and the text."""
    return {
        "results": (RESULTS, results()),
        "none of these": (RESULTS, f"\n{table(section(RESULTS, 'None of these'))}"),
        "person": (RESULTS, f"\n{table(section(RESULTS, 'A person'))}"),
        "classify": (CLASSIFY, after_title(CLASSIFY)),
        "benchmark": (BENCHMARK, after_title(BENCHMARK)),
    }


def replaced(text: str, begin: str, new: str) -> str:
    """Put `new` between the mark `begin` and the next mark."""
    before, mark, rest = text.partition(begin)
    _, end, after = rest.partition("<!-- end of")
    if not mark or not end:
        raise SystemExit(f"error: {README}: expected the line {begin} and a mark that ends it")
    return f"{before}{mark}\n{new}\n{end}{after}"


def results() -> str:
    """Take the table and the verdict's first sentence, in bold, out of the results."""
    verdict = re.search(r"^(\*\*.*\*\*)$", section(RESULTS, "Verdict"), re.MULTILINE)
    if not verdict:
        raise SystemExit(f"error: {RESULTS}: no verdict: run `dvc repro`")
    return f"\n{table(RESULTS.read_text(encoding='utf-8'))}\n{verdict[1]}\n"


def after_title(path: Path) -> str:
    """Take all but the first line."""
    return f"\n{path.read_text(encoding='utf-8').partition(chr(10))[2].strip()}\n"


def section(path: Path, title: str) -> str:
    """Take what stands below a heading."""
    _, mark, rest = path.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    if not mark:
        raise SystemExit(f"error: {path}: no section {title!r}: run `dvc repro`")
    return rest.partition("\n## ")[0]


def table(text: str) -> str:
    """Find the first table."""
    found = re.search(r"(^\|.*\n)+", text, re.MULTILINE)
    if not found:
        raise SystemExit("error: no table in what is to be copied into the README")
    return found[0]


if __name__ == "__main__":
    main()
