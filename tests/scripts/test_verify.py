"""`make verify` compares this machine with recorded ones and explains differences."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from cifar10 import arithmetic, machine, params
from scripts import fingerprint as of_model
from scripts import reproduce, verify
from tests.conftest import DATA, Clone

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SMALL = """
  linear:
    optimizer: {SGD: {learning_rate: 0.01}}
    layers:
      - Flatten: {}
      - Dense: {units: 33, activation: relu}
      - Dense: {units: num_classes, activation: softmax}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, programs):
    """A copy of the files that the scripts need, with one small model and a record of this machine."""
    programs.wait()
    root = tmp_path_factory.mktemp("verify")
    for name in ("cifar10", "scripts", "params.yaml", "versions.yaml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, root / name)
    head, _, _ = (root / "params.yaml").read_text().partition("\nmodels:\n")
    head = head.replace("mirror: [model_3]", "mirror: []")
    (root / "params.yaml").write_text(f"{head}\nmodels:{SMALL}")
    (root / "reports").mkdir()
    run(root, "scripts/verify.py", "--record", expect=0)
    return root


@pytest.fixture(scope="module")
def fingerprint(folder):
    """What this machine computes."""
    return json.loads(run(folder, "scripts/fingerprint.py", expect=0).splitlines()[-1])


def measured(fingerprint, machine):
    """Return what was measured for a record: a fingerprint per instruction set."""
    return [
        {"arithmetic": fingerprint["arithmetic"] | {"instructions": instructions}, **hashes}
        for instructions, hashes in machine["fingerprints"].items()
    ]


@pytest.fixture
def records(folder, monkeypatch):
    """The path of the records, which are restored after the test; the test runs in their folder."""
    monkeypatch.chdir(folder)
    path = folder / verify.RECORDS
    content = path.read_bytes()
    yield path
    path.write_bytes(content)


@pytest.fixture
def compare(fingerprint, records, capsys):
    """A function that compares the fingerprint with the records and returns what it prints."""

    def compare(expect):
        assert verify.verify(fingerprint, verify.records()) == expect
        return " ".join(capsys.readouterr().out.split())

    return compare


def run(root, *command, expect, **environment):
    return Clone(root).run("python", *command, expect=expect, COLUMNS="200", **environment)


def change(records, **changes):
    """Change entries of the one recorded machine."""
    (machine,) = json.loads(records.read_text())
    records.write_text(json.dumps([machine | changes]))


def portable(machine):
    """Return the hashes of `train.portable: true`; they come first."""
    return next(iter(machine["fingerprints"].values()))


def test_this_machine_gives_what_it_gave(folder, compare):
    printed = compare(expect=0)
    assert printed.endswith("This machine gives the recorded bytes.")
    assert printed.count(" same ") == len(verify_rows(folder))


def test_each_instruction_set_of_the_machine_is_recorded_with_its_own_bytes(folder):
    """oneDNN's products differ by instruction set: the arithmetic is really another one with `--fastest`."""
    (record,) = json.loads((folder / verify.RECORDS).read_text())
    products = [hashes["operations"]["matrix product"] for hashes in record["fingerprints"].values()]
    assert len({*products}) == len(products)
    if machine.is_x86_64() and arithmetic.INSTRUCTIONS["AVX512_CORE"] <= machine.flags():
        assert [*record["fingerprints"]] == ["AVX2", "AVX512_CORE"]


def test_without_a_record_there_is_nothing_to_compare_with(records, compare):
    records.unlink()
    assert "nothing to compare with. `make verify RECORD=1` adds this one." in compare(expect=0)


def verify_rows(folder):
    (machine,) = json.loads((folder / verify.RECORDS).read_text())
    hashes = portable(machine)
    return [*hashes["operations"], *(f"{name}, {part}" for name in hashes["models"] for part in verify.PARTS)]


def test_other_bytes_on_a_machine_like_this_one_are_a_fault(records, compare):
    (machine,) = json.loads(records.read_text())
    portable(machine)["operations"]["tanh"] = "0" * 12
    portable(machine)["models"]["linear"]["epoch"] = "0" * 12
    records.write_text(json.dumps([machine]))
    printed = compare(expect=1)
    assert "Machine 1 gave other bytes for linear, epoch. The first difference: tanh." in printed
    assert "either the code has changed since" in printed


def test_other_bytes_on_another_processor_are_no_fault(records, compare):
    (machine,) = json.loads(records.read_text())
    portable(machine)["models"]["linear"]["epoch"] = "0" * 12
    records.write_text(json.dumps([machine | {"vendor": "CentaurHauls"}]))
    printed = compare(expect=0)
    assert "Machine 1 gave other bytes for linear, epoch" in printed
    assert "not bit for bit" in printed


def test_an_operation_that_no_model_uses_is_named(records, compare):
    (machine,) = json.loads(records.read_text())
    portable(machine)["operations"]["reciprocal"] = "0" * 12
    records.write_text(json.dumps([machine | {"vendor": "CentaurHauls"}]))
    printed = compare(expect=0)
    assert "same models but computes otherwise: reciprocal." in printed
    assert "This machine gives the recorded bytes." in printed


@pytest.mark.parametrize(
    "other", [{"versions": {"keras": "1"}}, {"system": "Darwin arm64"}, {"oneDNN": False}]
)
def test_a_machine_of_another_kind_is_not_compared(records, compare, other):
    change(records, **other)
    assert "nothing to compare with" in compare(expect=0)


def test_a_model_that_was_changed_since_is_not_recorded(fingerprint, records, capsys):
    before = params.load()
    models = {"linear": before.models["linear"].model_copy(update={"optimizer": {"SGD": {}}})}
    assert of_model.definition("linear", before) == fingerprint["models"]["linear"]["definition"]
    definition = of_model.definition("linear", before.model_copy(update={"models": models}))
    changed = {"linear": fingerprint["models"]["linear"] | {"definition": definition}}
    assert verify.verify(fingerprint | {"models": changed}, verify.records()) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Not recorded as params.yaml has it: linear, start, linear, epoch, linear, answers" in printed


def test_a_damaged_record_is_one_line(folder, records):
    records.write_text("[")
    printed = run(folder, "scripts/verify.py", expect=2)
    assert "reports/fingerprints.json is damaged" in printed
    assert "Traceback" not in printed


def test_recording_again_replaces_this_machine_and_keeps_others(fingerprint, records):
    (machine,) = json.loads(records.read_text())
    records.write_text(json.dumps([machine | {"vendor": "CentaurHauls"}, machine | {"fingerprints": {}}]))
    verify.record(measured(fingerprint, machine), verify.records())
    found = json.loads(records.read_text())
    assert [entry["vendor"] for entry in found] == sorted(["CentaurHauls", machine["vendor"]])
    assert machine in found


def test_recording_other_bytes_of_a_model_deletes_its_hashes_of_other_machines(fingerprint, records, capsys):
    (machine,) = json.loads(records.read_text())
    old, other = (json.loads(records.read_text())[0] for _ in range(2))
    portable(old)["models"]["linear"]["epoch"] = "0" * 12
    for hashes in other["fingerprints"].values():
        hashes["models"]["kept"] = hashes["models"]["linear"]
    records.write_text(json.dumps([other | {"vendor": "CentaurHauls"}, old]))
    verify.record(measured(fingerprint, machine), verify.records())
    printed = " ".join(capsys.readouterr().out.split())
    assert "was recorded: linear. These hashes of other machines are outdated and deleted" in printed
    found = {entry["vendor"]: entry for entry in json.loads(records.read_text())}
    assert found[machine["vendor"]] == machine
    for instructions, hashes in found["CentaurHauls"]["fingerprints"].items():
        assert [*hashes["models"]] == ["kept"]
        assert hashes["operations"] == machine["fingerprints"][instructions]["operations"]


def test_an_operation_is_removed_by_its_whole_name():
    """Names such as "matrix product, gradient of its input" contain a comma, as the rows of models do."""
    names = ("matrix product", "matrix product, gradient of its input")
    model = {"definition": "d", **dict.fromkeys(verify.PARTS, "1")}
    before, now = (
        {"AVX2": {"operations": {names[0]: "1", names[1]: value}, "models": {"m": {**model, "epoch": value}}}}
        for value in "12"
    )
    assert verify.changed(before, now) == ["m", names[1]]
    verify.remove(["m", names[1]], now)
    assert now == {"AVX2": {"operations": {names[0]: "1"}, "models": {}}}


def test_the_committed_records_are_those_of_this_code():
    """On a recorded machine: the exit code is 1 if the models have other bytes now."""
    run(ROOT, "scripts/verify.py", expect=0)


def test_what_was_reproduced_is_said_stage_by_stage(one_seed):
    """The graph ends with the training; test_repro.py compares evaluations and figures."""
    one_seed.keep_models("model_0")
    stages = [*DATA, "train@model_0-0"]
    one_seed.keep_records(*stages)
    graph = yaml.safe_load((one_seed.root / "dvc.yaml").read_text())
    graph["stages"] = {name: graph["stages"][name] for name in (*DATA, "train")}
    (one_seed.root / "dvc.yaml").write_text(yaml.safe_dump(graph, sort_keys=False))
    one_seed.commit("Keep one training")
    printed = one_seed.run("python", "scripts/reproduce.py")
    rows = [line.split("│")[1:3] for line in printed.splitlines() if line.startswith("│")]
    named = {stage.strip(): outcome.strip() for stage, outcome in rows}
    assert named == dict.fromkeys(stages, "reproduced")
    found = reproduce.outputs(one_seed.root)
    found["train@model_0-0"]["models/model_0/seed_0.h5"] = "0" * 32
    differing = reproduce.compare(found, reproduce.outputs(one_seed.root))
    assert differing.pop("train@model_0-0") == ["models/model_0/seed_0.h5"]
    assert not any(differing.values())
