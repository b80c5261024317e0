"""Copy the results table and the verdict from reports/results.md into README.md, between its two marks."""

import re
from pathlib import Path

README = Path("README.md")
RESULTS = Path("reports/results.md")
BEGIN = "<!-- results: scripts/readme.py copies them from reports/results.md -->"
END = "<!-- end of results -->"


def main() -> None:
    """Replace what stands between the marks."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"error: {README}: expected the lines {BEGIN} and {END}")
    README.write_text(f"{before}{BEGIN}\n{excerpt()}\n{END}{after}", encoding="utf-8")


def excerpt() -> str:
    """Take the table and the verdict's first sentence, in bold, out of the results."""
    results = RESULTS.read_text(encoding="utf-8")
    table = re.search(r"(^\|.*\n)+", results, re.MULTILINE)
    verdict = re.search(r"^## Verdict\n+(\*\*.*\*\*)$", results, re.MULTILINE)
    if not table or not verdict:
        raise SystemExit(f"error: {RESULTS}: no table with a verdict below it: run `dvc repro`")
    return f"\n{table[0]}\n{verdict[1]}\n"


if __name__ == "__main__":
    main()
