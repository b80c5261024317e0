"""README and docs have the results of the committed run."""

from pathlib import Path

import pytest

from scripts import readme


@pytest.mark.parametrize(
    "part",
    [
        *("results", "wall time", "ood", "person", "classify", "benchmark", "load", "latency", "labels"),
        *("learning curve", "replicates", "detector cost"),
    ],
)
def test_the_pages_show_what_the_committed_run_wrote(part):
    page, source, content = readme.parts()[part]
    mark = f"<!-- {part}: scripts/readme.py copies it from {source} -->"
    assert f"{mark}\n{content}\n<!-- end of" in page.read_text(encoding="utf-8")


def test_the_readme_names_the_archive_that_was_measured():
    sha256 = readme.RESULTS.read_text(encoding="utf-8").partition("SHA-256 is ")[2].partition(",")[0]
    assert not sha256 or sha256[:8] in Path("README.md").read_text(encoding="utf-8")


def test_the_wall_time_by_hand():
    report = {
        "machine": {"processor": "a processor (family 6, model 85)", "cores": 4, "flags": ["avx2"]},
        "models": ["a", "b"],
        "seeds": [0, 7],
        "epochs": 10,
        "jobs": 3,
        "seconds": 305.6,
        "one_seed_seconds": 159.5,
    }
    written = readme.wall_time(report)
    assert "**5 min 6 s** on a processor (family 6, model 85), AVX2, 4 cores" in written
    assert "(a and b; 2 seeds, 10 epochs, 3 stages in parallel); 2 min 40 s with one seed." in written
