"""The package pins the arithmetic, regardless of the environment, and describes it."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cifar10 import arithmetic, machine
from cifar10.errors import UserError
from cifar10.training import versions
from scripts import versions as versions_file
from tests.conftest import digests

OTHERWISE = {  # every variable that decides the arithmetic, with a value that changes it or stops a library
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "ONEDNN_DEFAULT_FPMATH_MODE": "ANY",
    "OPENBLAS_NUM_THREADS": "2",
    "VECLIB_MAXIMUM_THREADS": "2",
    "HDF5_USE_FILE_LOCKING": "TRUE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    "DNNL_CPU_ISA_HINTS": "PREFER_YMM",
    "NPY_ENABLE_CPU_FEATURES": "X86_V4",
    "ONEDNN_CPU_ISA_HINTS": "PREFER_YMM",
    "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "false",
    "TF_DISABLE_MKL": "1",
    "TF_ENABLE_MKL_NATIVE_FORMAT": "0",
    "TF_SET_ONEDNN_FPMATH_MODE": "BF16",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
}
MODERN = frozenset({"sse4_1", "avx", "avx2", "fma"})
AVX512 = MODERN | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}


def python(code, *arguments, **environment):
    """Run a program; return its standard output and standard error."""
    command = [sys.executable, "-W", "always", "-c", code, *arguments]
    clean = {name: value for name, value in os.environ.items() if name not in OTHERWISE}
    done = subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_every_variable_that_is_pinned_is_tried_otherwise():
    pinned = {*arithmetic.EVERYWHERE, arithmetic.LIMIT, *arithmetic.WITH_AVX2, *arithmetic.UNSET}
    assert pinned == set(OTHERWISE)


def test_the_environment_does_not_matter():
    code = "import cifar10, json, os; print(json.dumps(dict(os.environ)))"
    found = [json.loads(python(code, **environment)[0]) for environment in ({}, OTHERWISE)]
    assert found[0] == found[1]
    assert arithmetic.settings().items() <= found[0].items()
    assert not found[0].keys() & set(arithmetic.UNSET)


@pytest.mark.parametrize(("library", "loaded"), [("numpy", "numpy"), ("h5py", "h5py, numpy")])
def test_a_library_that_was_loaded_before_is_named(library, loaded):
    _, messages = python(f"import {library}, cifar10")
    assert f"imported before cifar10: {loaded}; results can differ" in messages
    assert "imported before" not in python(f"import cifar10, {library}")[1]
    assert "imported before" not in python(f"import {library}, cifar10", **arithmetic.settings())[1]


AT_THE_FIRST_LIBRARY = """
import contextlib, importlib, json, os, sys
LIBRARIES = ("numpy", "h5py", "tensorflow")
for name in "archspec.cpu jinja2 pathspec psutil pydantic requests rich.live ruamel.yaml tqdm yaml".split():
    importlib.import_module(name)  # once for all modules: they import none of these libraries
assert not {"cifar10", *LIBRARIES} & {*sys.modules}
class End:
    def find_spec(name, path=None, target=None):
        if name in LIBRARIES:
            print(module, json.dumps(dict(os.environ)), flush=True)
            os._exit(0)
sys.meta_path.insert(0, End)
for module in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(module)
        os._exit(0)
    assert os.wait()[1] == 0, module
"""


def test_every_way_in_pins_before_a_library_is_loaded():
    """Import each script until the first of these libraries would be loaded: it reads the environment."""
    files = sorted([*Path("stages").glob("*.py"), *Path("scripts").glob("*.py")])
    modules = [".".join(file.with_suffix("").parts) for file in files]
    modules += ["cifar10.predict.cli", "cifar10.app.__main__", "cifar10.cluster.__main__"]
    printed, _ = python(AT_THE_FIRST_LIBRARY, *modules, **OTHERWISE)
    read = [line.partition(" ") for line in printed.splitlines()]
    found = {module: json.loads(environment) for module, _, environment in read}
    assert {"stages.train", "stages.evaluate", "stages.report"} <= found.keys()
    for module, environment in found.items():
        assert arithmetic.settings().items() <= environment.items(), module
        assert not environment.keys() & set(arithmetic.UNSET), module


@pytest.mark.parametrize(
    ("flags", "limit", "expected"),
    [
        (AVX512, "AVX2", "AVX2"),
        (AVX512, "AVX512_CORE", "AVX512_CORE"),
        (MODERN, "AVX512_CORE", "AVX2"),
        (MODERN - {"fma"}, "AVX2", "AVX"),
        (frozenset({"sse4_1"}), "AVX2", "SSE41"),
        (AVX512, "SSE41", "SSE41"),
        (frozenset(), "AVX2", "unknown"),
    ],
)
def test_the_instructions_are_the_best_that_processor_and_limit_allow(flags, limit, expected, monkeypatch):
    monkeypatch.setattr(machine, "is_x86_64", lambda: True)
    monkeypatch.setattr(machine, "flags", lambda: flags)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert arithmetic.instructions() == expected


def test_without_avx2_no_kernels_are_asked_for_that_need_it(monkeypatch):
    monkeypatch.setattr(machine, "is_x86_64", lambda: True)
    monkeypatch.setattr(machine, "flags", lambda: frozenset({"sse4_1"}))
    assert not arithmetic.settings().keys() & arithmetic.WITH_AVX2.keys()


def test_another_architecture_is_named_and_gets_no_setting_of_x86(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert arithmetic.settings() == arithmetic.EVERYWHERE
    assert arithmetic.instructions() == "arm64"


def test_an_unknown_processor_is_no_error(monkeypatch, tmp_path):
    def fail():
        raise OSError("no /proc/cpuinfo")

    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine.detect, "detected_info", fail)
    monkeypatch.setattr(platform, "processor", lambda: "")
    described = machine.describe()
    assert described["flags"] == []
    assert described["vendor"] == "unknown"
    assert described["processor"] == platform.machine()


def test_the_machine_is_described_as_the_kernel_does():
    info = Path("/proc/cpuinfo")
    if not info.exists():
        pytest.skip("no /proc/cpuinfo on this system")
    fields = dict(line.split("\t: ", 1) for line in info.read_text().splitlines() if "\t: " in line)
    described = machine.describe()
    assert described["vendor"] == fields.get("vendor_id", described["vendor"])
    assert set(described["flags"]) <= set(fields.get("flags\t", fields.get("flags", "")).split())
    assert fields.get("model name", "") in described["processor"]
    assert described["cores"] == len(os.sched_getaffinity(0))


def test_versions_yaml_is_the_lock(monkeypatch, tmp_path):
    lock = Path("requirements.txt").read_text()
    assert Path("versions.yaml").read_text() == versions_file.text(lock)
    with pytest.raises(SystemExit, match=r"expected one version of numpy, found 1\.0, 2\."):
        versions_file.text(lock + "numpy==1.0 ; python_version < '3'\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "versions.yaml not found"),
        ("[", "versions.yaml is not valid YAML"),
        ("keras: '1'\n", "versions.yaml has None"),
        ("just text", "is installed, versions.yaml has None"),
    ],
)
def test_other_versions_than_the_recorded_are_refused(content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("versions.yaml").write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        versions.check_versions()
    assert "\n" not in str(caught.value)


def test_dvc_sees_a_new_tensorflow_and_not_a_new_seaborn(workspace):
    assert json.loads(workspace.run("dvc", "status", "--json")) == {}
    lock = workspace.root / "requirements.txt"
    lock.write_text(lock.read_text().replace("seaborn==", "seaborn==9."))
    workspace.run("python", "scripts/versions.py")
    assert json.loads(workspace.run("dvc", "status", "--json")) == {}
    lock.write_text(lock.read_text().replace("tensorflow==", "tensorflow==9.").replace("-cpu==", "-cpu==9."))
    workspace.run("python", "scripts/versions.py")
    stale = json.loads(workspace.run("dvc", "status", "--json"))
    models = ["model_0", "model_1", "model_2"]
    assert {f"{stage}@{name}-1" for stage in ("train", "evaluate") for name in models} <= set(stale)
    assert {"download", "preprocess"}.isdisjoint(stale)
    printed = workspace.run("python", "stages/train.py", "model_0", "0", expect=2)
    assert "tensorflow 2." in printed
    assert "is installed, versions.yaml has 9." in printed


BOTH_STAGES = """
import os, runpy, sys
from cifar10.training import tensorflow_setup
with tensorflow_setup.tensorflow():
    import keras  # once for both stages
for stage in ("train", "evaluate"):
    if os.fork() == 0:
        sys.argv = [f"stages/{stage}.py", "model_1", "0"]
        runpy.run_path(sys.argv[0], run_name="__main__")
        os._exit(0)
    assert os.wait()[1] == 0, stage
"""


def test_stages_give_the_same_bytes_in_any_environment_and_on_one_core(workspace):
    kept = ("models/model_1/seed_0.*", "reports/*/model_1/seed_0.*")
    expected = digests(workspace.root, *kept)
    assert len(expected) == 10  # outputs of both stages
    for name in expected:
        (workspace.root / name).unlink()
    pinned = ["taskset", "-c", "0"] if sys.platform == "linux" else []
    workspace.run(*pinned, "python", "-c", BOTH_STAGES, **OTHERWISE)
    assert digests(workspace.root, *kept) == expected
