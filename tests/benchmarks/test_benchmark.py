"""Calculations and texts of the benchmark; `make bench` runs its sides, tests do not."""

import copy
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

from benchmarks import classify, full_run, memory_bandwidth, outcome, peak, results, run, steps, text, timing
from cifar10 import arithmetic, errors, machine, params
from cifar10.training import loop, models

AVX2 = {"sse4_1", "avx", "avx2", "fma"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
REPORT = {
    "machine": {
        "processor": "a processor (family 6, model 85)",
        "flags": ["avx2", "fma", "avx512f"],
        "cores": 2,
        "memory_bytes": 24e9,
        "system": "Linux",
        "python": "3.11",
    },
    "settings": {
        "models": ["a", "b"],
        "epochs": 10,
        "images": 1000,
        "batch_size": 32,
        "jobs": 2,
        "repeats": 3,
    },
    "onednn_by_itself": [],
    "sides": {
        "notebook": {"seconds": 100.0, "peak_bytes": 3_100_000_000, "runs": []},
        "notebook_onednn": {"seconds": 50.0, "peak_bytes": 3_100_000_000, "runs": []},
        "pipeline": {"seconds": 25.0, "peak_bytes": 900_000_000, "runs": []},
        "pipeline_fastest": {"seconds": 20.0, "peak_bytes": 900_000_000, "runs": []},
    },
    "growth": {
        "epochs": 2,
        "images_of_models": 200,
        "seconds_by_models": {"1": 5.0, "2": 6.0},
        "seconds_by_images": {"100": 5.0, "1000": 9.0},
    },
    "peak": {
        "flops_per_second": 1e11,
        "flops_per_image": {"a": 1e7, "b": 4e7, "not trained": 9e9},
        "triad_bytes_per_second": {"1": 2e10, "2": 3e10},
    },
    "steps": {
        "pipeline": {"a": {"bytes": 100_000_000, "seconds": 0.01}},
        "pipeline_fastest": {"a": {"bytes": 100_000_000, "seconds": 0.008}},
    },
}


def test_rows_by_hand():
    notebook, onednn, pipeline, fastest = results.rows(REPORT)
    assert [row["ratio"] for row in (notebook, onednn, pipeline, fastest)] == [1, 0.5, 0.25, 0.2]
    assert [row["ratio_onednn"] for row in (notebook, onednn, pipeline, fastest)] == [2, 1, 0.5, 0.4]
    assert pipeline["rate"] == 1000 * 10 * 2 / 25
    assert pipeline["share"] == pytest.approx(1000 * 10 * 5e7 / 25 / 1e11)


def test_steps_by_hand():
    portable, fastest = results.steps(REPORT)
    assert (portable["milliseconds"], portable["rate"], portable["share"]) == (10, 1e10, 0.5)
    assert fastest["share"] == pytest.approx(0.625)


def test_the_tables_say_what_was_measured():
    written = text.markdown(REPORT)
    for words in (
        "| side | wall time | relative to notebook | relative to notebook with oneDNN | images/s |",
        "| this pipeline, portable: true | 25.0 s | 0.25 | 0.50 | 800 | 20% | 0.90 GB |",
        "10 epochs of 1,000 images",
        "3 times in turn, medians",
        "Measured on a processor (family 6, model 85), flags avx2 fma avx512f, with AVX-512, 2 cores",
        "100 GFLOP/s",
        "with `true` the pipeline takes 1.25 times as long as with `false`",
        "| a | this pipeline, portable: true | 100.0 MB | 10.00 ms | 10.0 GB/s | 50% |",
        "20.0 GB/s with 1 process and 30.0 GB/s with 2 processes at once",
    ):
        assert words in written


def test_rows_that_were_not_measured_are_not_spoken_of():
    report = copy.deepcopy(REPORT)
    for key in ("notebook_onednn", "pipeline_fastest"):
        del report["sides"][key]
    del report["steps"]["pipeline_fastest"]
    report["onednn_by_itself"] = ["avx_vnni"]
    report["machine"]["flags"] = ["avx2"]
    written = text.markdown(report)
    assert "| this pipeline | 25.0 s | 0.25 | 800 | 20% | 0.90 GB |" in written
    assert "uses oneDNN by default on this processor (avx_vnni)" in written
    assert "flags avx2, without AVX-512" in written
    assert "with oneDNN |" not in written
    assert "portability" not in written


@pytest.mark.parametrize(
    ("flags", "system", "expected"),
    [
        (AVX2, "Linux", ["notebook", "notebook_onednn", "pipeline"]),
        (AVX2 | {"avx_vnni"}, "Linux", ["notebook", "pipeline"]),
        (AVX512, "Linux", ["notebook", "notebook_onednn", "pipeline", "pipeline_fastest"]),
        (AVX512 | {"avx512_vnni"}, "Linux", ["notebook", "pipeline", "pipeline_fastest"]),
        (AVX512, "Windows", ["notebook", "pipeline", "pipeline_fastest"]),
        ({"asimd"}, "Darwin", ["notebook", "pipeline"]),
    ],
)
def test_the_sides_are_those_that_differ_on_the_processor(flags, system, expected):
    assert run.side_names(flags, system, torch=False) == expected
    assert run.side_names(flags, system, torch=True) == [*expected, "pytorch"]


ONEDNN = """
import sys, types
from importlib.util import find_spec
(root,) = find_spec("tensorflow").submodule_search_locations
for name in ("tensorflow", "tensorflow.python", "tensorflow.python.util"):  # without what they import
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [root + name.removeprefix("tensorflow").replace(".", "/")]
from tensorflow.python.util import _pywrap_util_port as port
print(port.IsMklEnabled())
"""


@pytest.mark.skipif(platform.system() != "Linux", reason="the processor decides on Linux alone")
def test_tensorflow_uses_onednn_by_itself_with_those_flags():
    done = subprocess.run(
        [sys.executable, "-c", ONEDNN], env=run.environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(bool(run.ONEDNN_BY_ITSELF & machine.flags()))


PRINTER = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1] + '/seen', 'w'))"


def child_environment(folder, environment):
    timing.timed([sys.executable, "-c", PRINTER, str(folder)], folder, environment)
    return json.loads((folder / "seen").read_text())


def test_a_side_sees_none_of_the_variables_that_pin(tmp_path, monkeypatch):
    monkeypatch.setitem(run.BEFORE, "TF_ENABLE_ONEDNN_OPTS", "0")  # as if the caller had set it
    monkeypatch.setitem(run.BEFORE, "OF_THE_CALLER", "stays")
    seen = child_environment(tmp_path, run.environment())
    assert seen["OF_THE_CALLER"] == "stays"
    assert not seen.keys() & {*arithmetic.settings(), *arithmetic.UNSET}
    assert arithmetic.settings().items() <= os.environ.items()  # while this process is pinned


@pytest.mark.parametrize(
    ("side", "variables"),
    [("notebook", {}), ("notebook_onednn", {"TF_ENABLE_ONEDNN_OPTS": "1"}), ("pytorch", {})],
)
def test_the_environment_of_each_side(side, variables, tmp_path, monkeypatch):
    (tmp_path / f"{'notebook' if 'notebook' in side else side}.py").write_text(PRINTER)
    monkeypatch.setattr(run, "HERE", tmp_path)
    run.sides(str(tmp_path), np.zeros(0), np.zeros(0), {}, 1)[side]()
    seen = json.loads((tmp_path / "seen").read_text())
    pinned = {*arithmetic.settings(), *arithmetic.UNSET}
    assert {key: value for key, value in seen.items() if key in pinned} == variables


@pytest.mark.parametrize("portable", [True, False])
def test_the_pipeline_is_told_models_epochs_and_whether_to_be_portable(portable, tmp_path):
    before = yaml.safe_load(params.paths.PARAMS.read_text(encoding="utf-8"))
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(before))
    run.choose(path, {"only": params.load().models["model_2"]}, 7, portable)
    after = yaml.safe_load(path.read_text())
    assert after["train"] == before["train"] | {"epochs": 7, "portable": portable, "seeds": [0]}
    assert after["models"] == {"only": before["models"]["model_2"]}
    assert (after["data"], after["report"]) == (before["data"], before["report"])


@pytest.mark.parametrize("name", ["notebook.py", "one_by_one.py", "pytorch.py"])
def test_the_other_sides_do_not_import_the_library(name):
    source = (Path(run.HERE) / name).read_text(encoding="utf-8")
    assert "import cifar10" not in source
    assert "from cifar10" not in source


def test_time_and_memory_of_a_child_of_the_child(tmp_path):
    grow = "held = bytearray(200_000_000); import time; time.sleep(0.6)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grow!r}])"
    done = timing.timed([sys.executable, "-c", start], tmp_path, os.environ)
    assert 0.6 < done.seconds < 30
    assert 200e6 < done.peak_bytes < 300e6


def test_a_side_that_fails_is_an_error_with_its_output(tmp_path):
    with pytest.raises(run.errors.UserError, match="failed:\nno luck"):
        timing.timed([sys.executable, "-c", "raise SystemExit('no luck')"], tmp_path, os.environ)


def test_a_signal_ends_the_side_and_what_it_started(tmp_path):
    sleep = "import time; time.sleep(600)"
    start = f"""
import subprocess, sys
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", {sleep!r}])
Path("writing").write_text(str(child.pid))
Path("writing").rename("child")
child.wait()
"""
    command = [sys.executable, "-c", start]
    code = f"""
import os
from pathlib import Path
from benchmarks import timing
from cifar10 import errors
errors.run(lambda: timing.timed({command!r}, Path({str(tmp_path)!r}), os.environ))
"""
    benchmark = subprocess.Popen([sys.executable, "-c", code], cwd=run.HERE.parent, stderr=subprocess.PIPE)
    end = time.monotonic() + 30
    while not (tmp_path / "child").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    started = psutil.Process(benchmark.pid).children(recursive=True)
    assert int((tmp_path / "child").read_text()) in [each.pid for each in started]
    benchmark.terminate()
    assert b"interrupted by SIGTERM" in benchmark.communicate()[1]
    assert benchmark.returncode == 143
    assert psutil.wait_procs(started, timeout=10)[1] == []


def test_triad_against_one_statement():
    draw = np.random.default_rng(0)
    b, c = draw.random((2, 3 * memory_bandwidth.BLOCK + 5), np.float32)
    a = np.zeros_like(b)
    memory_bandwidth.triad(a, b, c)
    assert np.array_equal(a, b + np.float32(3) * c)


def test_bandwidth_by_hand():
    spans = np.array([[[0, 2], [10, 11]], [[1, 3], [10.5, 12]]])  # 3 s, then 2 s
    assert memory_bandwidth.best(spans, 240) == 120
    assert memory_bandwidth.BYTES == 12
    assert memory_bandwidth.size(4, 4 * 12 * 4 * 1000) == 1000
    assert memory_bandwidth.size(1, 10**15) == memory_bandwidth.ELEMENTS


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "momentum"])
def test_bytes_of_a_step_by_hand(optimizer):
    entry = params.load().models["model_0"]
    given = {"SGD": {"learning_rate": 0.1, "momentum": 0.9}} if optimizer == "momentum" else {optimizer: {}}
    model = models.build("model_0", entry, 10)
    made = models.optimizer("model_0", entry.model_copy(update={"optimizer": given}))
    loop.train_state(model, made)
    moments = {"Adam": 2, "SGD": 0, "momentum": 1}[optimizer]
    assert steps.traffic(model, made) == 91_946 * 4 * (6 + 2 * moments)


def test_the_chart_can_be_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome.write(REPORT)
    assert sorted(path.suffix for path in (tmp_path / "reports").iterdir()) == [".json", ".md", ".png"]


def test_the_sentence_about_pictures_by_hand():
    seconds = {"command": [5.0, 7.0, 6.0], "one_by_one": [60.0, 50.0, 70.0]}
    report = {"machine": REPORT["machine"], "model": "model_0", "images": 1000, "seconds": seconds}
    written = classify.markdown(report)
    assert "1,000 files take 6.0 s from start to exit with model_0, against 60.0 s for one" in written
    assert "on a processor (family 6, model 85), flags avx2 fma avx512f, with AVX-512, 2 cores." in written


def test_a_full_run_without_an_archive_is_a_clear_error(tmp_path):
    with pytest.raises(errors.UserError, match="not found: run `dvc repro download` first"):
        full_run.measure(str(tmp_path / "missing.tar.gz"))


def test_operations_of_model_0_by_hand():
    model = models.build("model_0", params.load().models["model_0"], 10)
    first = 30 * 30 * 16 * (3 * 3 * 3)
    others = 13 * 13 * 32 * (3 * 3 * 16) + 4 * 4 * 64 * (3 * 3 * 32) + 256 * 256 + 256 * 10
    assert peak.flops(model) == 2 * (2 * first + 3 * others)


def test_a_number_that_is_none_is_a_clear_error(monkeypatch):
    monkeypatch.setattr("sys.argv", ["benchmarks/run.py"])
    monkeypatch.setenv("EPOCHS", "few")
    with pytest.raises(errors.UserError) as caught:
        run.main()
    assert str(caught.value) == "EPOCHS: got 'few', expected a whole number, 1 or more"
