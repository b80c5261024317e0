"""Copy the results into README.md and the benchmark into docs/speed.md, between their marks."""

import re
from pathlib import Path

README = Path("README.md")
SPEED = Path("docs/speed.md")
RESULTS = Path("reports/results.md")
BENCHMARK = Path("reports/benchmark.md")
CLASSIFY = Path("reports/classify.md")
SERVE = Path("reports/serve.md")


def main() -> None:
    """Replace what stands between the marks."""
    for name, (page, source, content) in parts().items():
        replace(page, f"<!-- {name}: scripts/readme.py copies it from {source} -->", content)


def parts() -> dict[str, tuple[Path, Path, str]]:
    """Gather what is copied: by mark, the page that it goes to, the file that it comes from, and the text."""
    none, person = (f"\n{table(section(RESULTS, title))}" for title in ("None of these", "A person"))
    return {
        "results": (README, RESULTS, results()),
        "none of these": (README, RESULTS, none),
        "person": (README, RESULTS, person),
        "classify": (README, CLASSIFY, after_title(CLASSIFY)),
        "benchmark": (SPEED, BENCHMARK, after_title(BENCHMARK)),
        "load": (SPEED, SERVE, after_title(SERVE)),
    }


def replace(page: Path, begin: str, new: str) -> None:
    """Put `new` between the mark `begin` of a page and the next mark."""
    before, mark, rest = page.read_text(encoding="utf-8").partition(begin)
    _, end, after = rest.partition("<!-- end of")
    if not mark or not end:
        raise SystemExit(f"error: {page}: expected the line {begin} and a mark that ends it")
    page.write_text(f"{before}{mark}\n{new}\n{end}{after}", encoding="utf-8")


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
        raise SystemExit("error: no table in what is to be copied")
    return found[0]


if __name__ == "__main__":
    main()
