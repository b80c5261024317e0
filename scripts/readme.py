"""Copy the results and the benchmark from reports/ into README.md, between their marks."""

import re
from pathlib import Path

README = Path("README.md")
RESULTS = Path("reports/results.md")
BENCHMARK = Path("reports/benchmark.md")


def main() -> None:
    """Replace what stands between the marks."""
    text = README.read_text(encoding="utf-8")
    text = replaced(text, f"<!-- results: scripts/readme.py copies them from {RESULTS} -->", results())
    text = replaced(text, f"<!-- benchmark: scripts/readme.py copies it from {BENCHMARK} -->", benchmark())
    README.write_text(text, encoding="utf-8")


def replaced(text: str, begin: str, new: str) -> str:
    """Put `new` between the mark `begin` and the next mark."""
    before, mark, rest = text.partition(begin)
    _, end, after = rest.partition("<!-- end of")
    if not mark or not end:
        raise SystemExit(f"error: {README}: expected the line {begin} and a mark that ends it")
    return f"{before}{mark}\n{new}\n{end}{after}"


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
        raise SystemExit("error: no table in what is to be copied into the README")
    return found[0]


if __name__ == "__main__":
    main()
