"""Compare this branch with another: print a Markdown page for a pull request.

The page has parameters, test metrics, figures, and a verdict: whether the spread over seeds and the choice of
test images explain a difference.
With uncommitted changes, the workspace is compared. Predictions come from the DVC cache or remote; the page
lists missing predictions. Figures are linked if `origin` is on GitHub; push before you use the page.
"""

import argparse
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cifar10 import errors, git, paths
from cifar10.compare import changed, git_revision, page
from cifar10.compare.git_revision import Revision
from cifar10.compare.revision_results import RevisionResults
from cifar10.errors import UserError

GITHUB = re.compile(
    r"(?:https://(?:[^@/]*@)?|(?:ssh://)?git@)github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?"
)
PAGE = "comparison.md"


def main() -> None:
    """Read both sides, write the folder, print the page."""
    arguments = parse()
    base, this = git_revision.named(arguments.base), git_revision.here()
    if base.label == this.label:  # labels must differ, because files and links are named by them
        base.label = f"{base.label} (base)"
    before, after = sides(base, this)
    lacks, missing = git_revision.lacking(base), base.missing + this.missing
    if arguments.output:
        write(arguments.output, before, after, lacks, missing)
        print(f"with figures: {arguments.output / PAGE}", file=sys.stderr)
    links = page.linked(addresses(before, after))
    print(page.markdown(before, after, links, lacks, missing), end="")


def parse() -> argparse.Namespace:
    """Read the command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m cifar10.compare", description=__doc__, formatter_class=form
    )
    parser.add_argument("base", metavar="BASE", help="branch, tag or commit to compare with, such as main")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help=f"also write {PAGE} and the figures of both sides to this folder",
    )
    return parser.parse_args()


def sides(base: Revision, this: Revision) -> tuple[RevisionResults, RevisionResults]:
    """Read both sides, with the predictions that the tests need."""
    with base.opened() as old, this.opened() as new:
        before, after = old.side(), new.side()
        tables: list[dict[str, dict[int, pd.DataFrame]]] = [{}, {}]
        for name in changed.kept(before, after):
            needed = changed.needed_seeds(before, after, name)
            for content, seeds, found in zip((old, new), needed, tables, strict=True):
                read = {seed: content.predictions(name, seed) for seed in seeds}
                found[name] = {seed: table for seed, table in read.items() if table is not None}
    return replace(before, predictions=tables[0]), replace(after, predictions=tables[1])


def addresses(before: RevisionResults, after: RevisionResults) -> dict[str, str]:
    """Return the URL of each side's figures on GitHub, by label; {} if origin is not on GitHub."""
    origin = GITHUB.fullmatch(git.line("remote", "get-url", "origin"))
    if not origin:
        return {}
    root = f"https://github.com/{origin[1]}/{origin[2]}/raw"
    return {
        side.label: f"{root}/{side.commit}/{git.prefix()}{paths.FIGURES.as_posix()}"
        for side in (before, after)
        if not side.uncommitted
    }


def write(
    folder: Path, before: RevisionResults, after: RevisionResults, lacks: int, missing: list[str]
) -> None:
    """Write the page and the figures of both sides to a folder, for reading without a network.

    Raises:
        UserError: the folder contains other files.
    """
    if folder.exists() and not (folder / PAGE).is_file() and any(folder.iterdir()):
        raise UserError(
            f"{folder}: expected an earlier comparison or nothing, found other files: name another"
        )
    new = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(new, ignore_errors=True)
    for name, side in (("before", before), ("after", after)):
        (new / name).mkdir(parents=True)
        for file, content in side.figures.items():
            (new / name / file).write_bytes(content)
    links = page.linked({before.label: "before", after.label: "after"})
    text = page.markdown(before, after, links, lacks, missing)
    (new / PAGE).write_text(text, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


if __name__ == "__main__":
    errors.run(main)
