"""Run the whole pipeline on the embedded digits in the clone demo/. This working tree does not change."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import commands, errors, git

DEMO = Path("demo")
LEFT_OUT = (".venv", "demo")  # also as links, which patterns of folders in .gitignore do not match


def main() -> None:
    """Clone the repository, select the digits, run the pipeline, print the results."""
    shutil.rmtree(DEMO, ignore_errors=True)
    clone(DEMO)
    commands.show(sys.executable, "scripts/repro.py", folder=DEMO)
    results = (DEMO / "reports/results.md").read_text(encoding="utf-8")
    print(f"\n{results}\nThe report: {DEMO.resolve() / 'reports/report.html'}")


def clone(target: Path) -> None:
    """Clone this repository with its uncommitted edits, and select the digits.

    A project without a git repository of its own (an unpacked archive, a folder of a larger repository) is
    copied into a new repository.
    """
    if git.line("rev-parse", "--verify", "--quiet", "HEAD") and not git.prefix():
        git.read("clone", "--quiet", ".", str(target))
        copy(git.names("diff", "--name-only", "-z", "HEAD"), target)
        copy(git.names("ls-files", "-z", "--others", "--exclude-standard"), target)
    else:
        git.read("init", "--quiet", str(target))
        with tempfile.TemporaryDirectory() as empty:  # a git folder without files: all files are new to it
            git.read("init", "--quiet", "--bare", empty)
            here = ("--git-dir", empty, "-c", "core.bare=false", "--work-tree", ".")
            copy(git.names(*here, "ls-files", "-z", "--others", "--exclude-standard"), target)
        git.read("add", "--all", folder=target)
        author = ("-c", "user.name=demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")
        git.read(*author, "commit", "--quiet", "--no-verify", "--message", "Copy the project", folder=target)
    choose_digits(target / "params.yaml")
    (target / "dvc.lock").unlink(missing_ok=True)  # it records a run on other data


def copy(names: list[str], target: Path) -> None:
    """Copy files and links to the same places below `target`; delete there what does not exist here.

    Folders are left out: git names a folder only if it is another repository.
    """
    for name in names:
        source, copied = Path(name), target / name
        if source.parts[0] in LEFT_OUT:
            continue
        if copied.is_symlink() or copied.is_file():
            copied.unlink()
        elif source.is_symlink() and copied.is_dir():
            shutil.rmtree(copied)
        copied.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            aim = source.readlink()
            inside = source.resolve().is_relative_to(Path.cwd()) and not aim.is_absolute()
            copied.symlink_to(aim if inside else source.resolve())
        elif source.is_file():
            shutil.copy2(source, copied)


def choose_digits(path: Path) -> None:
    """Set data.source in a parameter file; keep the rest."""
    before = path.read_text(encoding="utf-8")
    text, times = re.subn(r"^(  source: )\w+", r"\1digits", before, flags=re.MULTILINE)
    if times != 1:
        raise SystemExit(f"error: {path}: expected one line `  source: ...` under `data`, found {times}")
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    errors.run(main)
