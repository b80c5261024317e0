"""Run the whole pipeline on the embedded digits, in a clone under demo/, so that nothing here changes."""

import re
import shutil
import subprocess
from pathlib import Path

DEMO = Path("demo")


def main() -> None:
    """Clone, choose the digits, reproduce, show the results."""
    shutil.rmtree(DEMO, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", ".", str(DEMO)], check=True)
    copy_uncommitted()
    choose_digits(DEMO / "params.yaml")
    (DEMO / "dvc.lock").unlink(missing_ok=True)  # nothing of the committed run is fetched or compared
    subprocess.run(["dvc", "repro"], cwd=DEMO, check=True)
    print(f"\n{(DEMO / 'reports/results.md').read_text()}\nThe report: {DEMO.resolve() / 'reports/report.html'}")


def copy_uncommitted() -> None:
    """Bring along what was edited here and is not committed yet."""
    changed = subprocess.run(
        ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    for name in filter(None, changed):
        if Path(name).is_file():
            (DEMO / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, DEMO / name)
        else:
            (DEMO / name).unlink(missing_ok=True)


def choose_digits(path: Path) -> None:
    """Set data.source in a parameter file and leave the rest of it as it is."""
    text, times = re.subn(r"^(  source: )\w+", r"\1digits", path.read_text(), flags=re.MULTILINE)
    if times != 1:
        raise SystemExit(f"error: {path}: expected one line `  source: ...` under `data`, found {times}")
    path.write_text(text)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(error.returncode) from None
