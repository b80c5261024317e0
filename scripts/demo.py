"""Run the whole pipeline on the embedded digits in the clone demo/. This working tree does not change."""

import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import commands, errors, git

DEMO = Path("demo")


def main() -> None:
    """Clone the repository, select the digits, run the pipeline, print the results."""
    shutil.rmtree(DEMO, ignore_errors=True)
    clone(DEMO)
    commands.show(sys.executable, "scripts/repro.py", folder=DEMO)
    results = (DEMO / "reports/results.md").read_text(encoding="utf-8")
    print(f"\n{results}\nThe report: {DEMO.resolve() / 'reports/report.html'}")


def clone(target: Path) -> None:
    """Clone this repository with its uncommitted edits, and select the digits."""
    git.read("clone", "--quiet", ".", str(target))
    edited = git.read("diff", "--name-only", "-z", "HEAD")
    new = git.read("ls-files", "-z", "--others", "--exclude-standard")
    for name in (edited + new).split("\0")[:-1]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if Path(name).exists():
            shutil.copy2(name, target / name)
        else:
            (target / name).unlink(missing_ok=True)
    choose_digits(target / "params.yaml")
    (target / "dvc.lock").unlink(missing_ok=True)  # it records a run on other data


def choose_digits(path: Path) -> None:
    """Set data.source in a parameter file; keep the rest."""
    before = path.read_text(encoding="utf-8")
    text, times = re.subn(r"^(  source: )\w+", r"\1digits", before, flags=re.MULTILINE)
    if times != 1:
        raise SystemExit(f"error: {path}: expected one line `  source: ...` under `data`, found {times}")
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    errors.run(main)
