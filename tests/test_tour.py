"""The notebook docs/tour.ipynb, run in a clone as VS Code and Jupyter run it."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.conftest import ENVIRONMENT, lend_environment

TOUR = Path("docs/tour.ipynb")


@pytest.fixture
def notebook():
    return nbformat.read(TOUR, as_version=4)


def shown(cell):
    """The text of a cell's outputs: what it prints and, as Markdown if it can, what it returns."""
    data = [output.get("data", {}) for output in cell.outputs]
    printed = [output.get("text", "") for output in cell.outputs]
    return "".join([*printed, *(each.get("text/markdown", "") for each in data)])


def test_git_holds_no_outputs_and_the_links_have_targets(notebook):
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([\w./-]+)\)", text)
    assert len(links) >= 4
    assert [link for link in links if not (TOUR.parent / link).exists()] == []


def test_the_tour_runs_on_the_digits(notebook, one_seed, finished, tmp_path, monkeypatch):
    """The model of the demo comes from the run-cache of the finished clone; the changed one is trained."""
    one_seed.keep_models("model_2")
    one_seed.commit("One model")
    lend_environment(one_seed.root)
    (tmp_path / "dvc").mkdir()
    (tmp_path / "dvc/config").write_text(f"[cache]\n    dir = {finished.root / '.dvc/cache'}\n")
    own = {"DVC_GLOBAL_CONFIG_DIR": str(tmp_path / "dvc"), "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)}
    start = {"metadata": {"path": str(one_seed.root / "docs")}}
    client = NotebookClient(notebook, timeout=240, resources=start)
    try:
        client.execute(env={name: each for name, each in (ENVIRONMENT | own).items() if "GIT_" not in name})
    except CellExecutionError as error:
        raise AssertionError(str(error)) from None
    cells = {cell.id: cell for cell in notebook.cells}
    assert "The report: " in shown(cells["demo"])
    assert not re.search(r"[\r\x1b]", shown(cells["demo"])), "a drawing for terminals"
    results = (one_seed.root / "demo/reports/results.md").read_text()
    assert "| model_2 |" in shown(cells["results"])
    assert "image/png" in cells["figure"].outputs[0].data
    changed = re.search(
        r"models\.model_2\.optimizer\.SGD\.learning_rate +0\.01 +0\.05", shown(cells["change"])
    )
    assert changed, shown(cells["change"])
    assert shown(cells["results"]) != results  # of the run before the change
    assert "learning_rate" in shown(cells["compare"])
    assert "model_2" in shown(cells["compare"])
    assert one_seed.run("git", "status", "--porcelain") == ""
