"""dvc.yaml matches the code: a stage depends on exactly the packages and modules that it imports."""

import ast
import functools
import re
from pathlib import Path

import pytest
import yaml

from cifar10 import params
from cifar10.training import checkpoint

GRAPH = yaml.safe_load(Path("dvc.yaml").read_text())
STAGES = GRAPH["stages"]
# Imports that are no dependencies: their faults show in the outputs, which DVC compares by content.
LEFT_OUT = {
    "cifar10/base_options.py": "reads an option of params.yaml, whose values are dependencies of their own",
    "cifar10/commands.py": "is imported by git",
    "cifar10/errors.py": "ends a stage that fails; one that succeeds never uses it",
    "cifar10/files.py": "writes what it is given; other bytes are another output",
    "cifar10/git.py": "is imported by staleness",
    "cifar10/leftovers.py": "deletes files from the folders that the report reads; the others are its inputs",
    "cifar10/locks.py": "makes a second run of a stage wait or fail",
    "cifar10/machine.py": "names the processor; outputs say which arithmetic followed from it",
    "cifar10/names.py": "escapes and aligns names of files in messages",
    "cifar10/image_size.py": "checks sizes; a wrong one shows in the shape of the images",
    "cifar10/params.py": "reads params.yaml, whose values are dependencies of their own",
    "cifar10/paths.py": "says where files lie; dvc.yaml names the same places",
    "cifar10/progress.py": "prints",
    "cifar10/stage_arguments.py": "reads the command line, which dvc.yaml has",
    "cifar10/stage_inputs.py": "makes a stage fail whose inputs change",
    "cifar10/stage_names.py": "says what DVC calls a stage; dvc.yaml has the same names",
    "cifar10/stage_process.py": "runs the script of the stage, or fails",
    "cifar10/staleness.py": "is used for the name of dvc.lock",
    "cifar10/stop_signals.py": "ends a stage; one that succeeds never uses it",
    "cifar10/train_options.py": "is imported by params",
    "cifar10/yaml_text.py": "reads params.yaml and versions.yaml, whose values are dependencies of their own",
}


def runtime(node):
    """Walk a tree, without imports for type checkers."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from runtime(child)


@functools.cache
def imports(path: Path) -> set[Path]:
    """Return the library files that a file imports, anywhere in its code."""
    names = set()
    for node in runtime(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {file for name in names if (file := Path(*name.split(".")).with_suffix(".py")).exists()}


def uses(path: Path) -> set[Path]:
    """Return the file, its direct and indirect imports, and the templates named in any of them."""
    found, new = set(), {path}
    while new:
        found |= new
        new = {file for module in new for file in imports(module)} - found
    text = "".join(file.read_text() for file in found)
    return found | {file for file in Path("cifar10").glob("*/templates/*") if file.name in text}


def body(name):
    return STAGES[name].get("do", STAGES[name])


def code_of(name):
    return [Path(dep) for dep in body(name)["deps"] if re.match("(cifar10|stages)/", dep)]


def within(file, dependency):
    return file == dependency or dependency in file.parents


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_exactly_the_code_that_it_uses(name):
    used = {file for file in uses(Path(f"stages/{name}.py")) if file.as_posix() not in LEFT_OUT}
    listed = code_of(name)
    assert [file for file in used if not any(within(file, dep) for dep in listed)] == []
    assert [dep for dep in listed if not any(within(file, dep) for file in used)] == []
    assert all(dep.exists() for dep in listed)


def test_there_are_few_dependencies_on_code():
    assert sum(len(code_of(name)) for name in STAGES) <= 20


def test_what_is_left_out_is_used_and_in_no_package():
    used = {file for name in STAGES for file in uses(Path(f"stages/{name}.py"))}
    assert {file for name in LEFT_OUT if (file := Path(name)) not in used} == set()
    assert {Path(name).parent for name in LEFT_OUT} == {Path("cifar10")}


def test_a_checkpoint_depends_on_the_code_that_train_depends_on():
    own = [Path("cifar10", name) for name in checkpoint.CODE]
    assert sorted(code_of("train")) == sorted([*own, Path("stages/train.py")])


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


def test_the_packages_in_it_do_nothing_when_they_are_imported():
    """Stages therefore need not depend on their __init__.py; trainings depend on that of training."""
    for file in Path("cifar10").glob("*/__init__.py"):
        (text, *code) = ast.parse(file.read_text()).body
        assert isinstance(text, ast.Expr), file
        assert not code or file.parent.name == "training", file


@pytest.mark.parametrize("name", ["download", "preprocess", "audit", "report"])
def test_stages_without_a_network_do_without_tensorflow(name):
    code = [file for file in uses(Path(f"stages/{name}.py")) if file.suffix == ".py"]
    for file in code:
        assert not re.search(r"^\s*(from|import) (keras|tensorflow)\b", file.read_text(), re.MULTILINE), file


def test_every_published_model_has_an_artifact():
    assert {name: entry["path"] for name, entry in GRAPH["artifacts"].items()} == {
        name: f"models/{name}/seed_0.h5" for name in params.load().models
    }
