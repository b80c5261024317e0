"""Clones to compare: copies, made-up predictions, and readers of the page and of git and DVC."""

import contextlib
import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

from cifar10.compare import __main__ as compare
from tests.conftest import Clone


def copy(clone, target):
    """Clone a clone, all its branches, with its cache."""
    subprocess.run(["git", "clone", "--quiet", clone.root, target], check=True)
    made = Clone(target)
    made.run("git", "branch", "--quiet", "--force", "main", "origin/main")
    made.cache = clone.cache
    set_cache(made, clone.cache)
    return made


def set_cache(clone, folder):
    (clone.root / ".dvc/config.local").write_text(f"[cache]\n    dir = {folder}\n")


def set_right(clone, name, seed, lost, gained):
    """Have a training get `lost` right answers wrong and `gained` wrong ones right."""
    path = clone.root / f"reports/predictions/{name}/seed_{seed}.csv"
    rows = read(path)
    right = [row for row in rows if row["actual"] == row["predicted"]]
    wrong = [row for row in rows if row["actual"] != row["predicted"]]
    for row in right[:lost]:
        row["predicted"] = "0" if row["actual"] != "0" else "1"
    for row in wrong[:gained]:
        row["predicted"] = row["actual"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with changed_metrics(clone, name) as metrics:
        accuracies = metrics["test"]["accuracies"]
        accuracies[seed] = float(hits(rows).mean())
        metrics["test"]["accuracy"] = {"mean": np.mean(accuracies), "sd": np.std(accuracies, ddof=1)}
        metrics["test"]["loss"]["mean"] += 0.125


@contextlib.contextmanager
def changed_metrics(clone, name):
    """Edit the metrics file of a model."""
    path = clone.root / f"reports/metrics/{name}.json"
    metrics = json.loads(path.read_text())
    yield metrics
    path.write_text(json.dumps(metrics))


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def hits(rows):
    return np.array([row["actual"] == row["predicted"] for row in rows])


def page(clone, base="main", *options):
    """Compare in a clone; return the page."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(clone.root)
        patch.setattr(sys, "argv", ["compare", base, *options])
        compare.main()
    return printed.getvalue()


def section(page, title):
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def table(text):
    """The rows of the first table, cells as text."""
    lines = re.search(r"(^\|.*\n)+", text, re.MULTILINE)[0].splitlines()
    rows = [[cell.strip(" `") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert len({len(row) for row in rows}) == 1
    return rows[2:]


def show(clone, revision, path):
    return subprocess.run(
        ["git", "show", f"{revision}:{path}"], cwd=clone.root, capture_output=True, check=True
    ).stdout


def predictions(clone, revision, name):
    """Correct predictions of a revision, bool (S, N), out of the cache by the hashes in its dvc.lock."""
    stages = yaml.safe_load(show(clone, revision, "dvc.lock"))["stages"]
    found = []
    for seed in (0, 1):
        path = f"reports/predictions/{name}/seed_{seed}.csv"
        (md5,) = [out["md5"] for out in stages[f"evaluate@{name}-{seed}"]["outs"] if out["path"] == path]
        found.append(hits(read(clone.cache / "files/md5" / md5[:2] / md5[2:])))
    return np.array(found)
