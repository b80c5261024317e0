"""The figures of README and docs are those of the committed run."""

from pathlib import Path

from scripts import readme


def test_the_readme_shows_the_results_of_the_committed_run():
    assert readme.results() in Path("README.md").read_text(encoding="utf-8")


def test_the_docs_show_the_committed_benchmark():
    assert readme.benchmark() in readme.SPEED.read_text(encoding="utf-8")


def test_the_readme_names_the_archive_that_was_measured():
    sha256 = readme.RESULTS.read_text(encoding="utf-8").partition("SHA-256 is ")[2].partition(",")[0]
    assert not sha256 or sha256[:8] in Path("README.md").read_text(encoding="utf-8")
