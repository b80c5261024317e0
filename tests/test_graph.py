"""dvc.yaml says what the code does: a stage depends on exactly the modules that it imports."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from cifar10 import params

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())
STAGES = GRAPH["stages"]


def imports(path: Path) -> set[Path]:
    """Files of the library that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {file for name in names if (file := Path(*name.split(".")).with_suffix(".py")).exists()}


def uses(path: Path) -> set[Path]:
    """The file, what it imports, what that imports, and the templates that any of them names."""
    found, new = set(), {path}
    while new:
        found |= new
        new = {file for module in new for file in imports(module)} - found
    text = "".join(file.read_text() for file in found)
    return found | {file for file in Path("cifar10/templates").glob("*") if file.name in text}


def body(name):
    return STAGES[name].get("do", STAGES[name])


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_exactly_the_code_that_it_uses(name):
    listed = {Path(dep) for dep in body(name)["deps"] if re.match("(cifar10|stages)/", dep)}
    assert listed == uses(Path(f"stages/{name}.py"))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_script_of_its_name(name):
    assert body(name)["cmd"].split()[:2] == ["python", f"stages/{name}.py"]


@pytest.mark.parametrize("file", sorted(Path("stages").glob("*.py")), ids=str)
def test_no_stage_imports_a_stage_and_none_is_long(file):
    assert "stages" not in {p.parts[0] for p in imports(file)}
    assert len(file.read_text().splitlines()) <= 70


def test_the_library_knows_no_stage():
    for file in Path("cifar10").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) stages\b", file.read_text(), re.MULTILINE), file


def test_the_package_itself_pins_the_arithmetic_and_does_nothing_else():
    _, *code = ast.parse(Path("cifar10/__init__.py").read_text()).body
    assert [ast.unparse(node) for node in code] == ["from cifar10 import arithmetic", "arithmetic.pin()"]


@pytest.mark.parametrize("name", ["download", "preprocess", "report"])
def test_stages_without_a_network_do_without_tensorflow(name):
    code = [file for file in uses(Path(f"stages/{name}.py")) if file.suffix == ".py"]
    for file in code:
        assert not re.search(r"^\s*(from|import) (keras|tensorflow)\b", file.read_text(), re.MULTILINE), file


def test_every_published_model_has_an_artifact():
    assert {name: entry["path"] for name, entry in GRAPH["artifacts"].items()} == {
        name: f"models/{name}.h5" for name in params.load().models
    }
