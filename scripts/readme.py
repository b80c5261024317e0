"""Copy the results into README.md and the benchmark into docs/speed.md, between their marks."""

import re
from pathlib import Path

README = Path("README.md")
SPEED = Path("docs/speed.md")
RESULTS = Path("reports/results.md")
BENCHMARK = Path("reports/benchmark.md")


def main() -> None:
    """Replace what stands between the marks."""
    replace(README, f"<!-- results: scripts/readme.py copies them from {RESULTS} -->", results())
    replace(SPEED, f"<!-- benchmark: scripts/readme.py copies it from {BENCHMARK} -->", benchmark())


def replace(page: Path, begin: str, new: str) -> None:
    """Put `new` between the mark `begin` of a page and the next mark."""
    before, mark, rest = page.read_text(encoding="utf-8").partition(begin)
    _, end, after = rest.partition("<!-- end of")
    if not mark or not end:
        raise SystemExit(f"error: {page}: expected the line {begin} and a mark that ends it")
    page.write_text(f"{before}{mark}\n{new}\n{end}{after}", encoding="utf-8")


def results() -> str:
    """Take the table and the verdict's first sentence, in bold, out of the results."""
    text = RESULTS.read_text(encoding="utf-8")
    verdict = re.search(r"^## Verdict\n+(\*\*.*\*\*)$", text, re.MULTILINE)
    if not verdict:
        raise SystemExit(f"error: {RESULTS}: no verdict: run `dvc repro`")
    return f"\n{table(text)}\n{verdict[1]}\n"


def benchmark() -> str:
    """Take the table and what it was measured on out of the benchmark."""
    text = BENCHMARK.read_text(encoding="utf-8")
    _, _, notes = text.partition(table(text))
    return f"\n{table(text)}{notes.rstrip()}\n"


def table(text: str) -> str:
    """Find the first table."""
    found = re.search(r"(^\|.*\n)+", text, re.MULTILINE)
    if not found:
        raise SystemExit("error: no table in what is to be copied")
    return found[0]


if __name__ == "__main__":
    main()
