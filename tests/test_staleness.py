"""Stages that become stale after an edit, according to `dvc status` in a finished clone."""

import json

import pytest
import yaml

from cifar10 import staleness
from cifar10.errors import UserError

MODELS = ["model_0", "model_1", "model_2"]
TRAIN = {f"train@{name}-{seed}" for name in MODELS for seed in (0, 1)}
EVALUATE = {f"evaluate@{name}-{seed}" for name in MODELS for seed in (0, 1)}


@pytest.fixture(scope="module")
def clone(clone_finished, module_path):
    """A copy of the finished clone for all tests; each test reverts its edit."""
    return clone_finished(module_path / "clone")


def stale(dvc, clone):
    """Return the stages that DVC would run."""
    code, printed = dvc.run(clone.root, "dvc", "status", "--json")
    assert code == 0, printed
    return set(json.loads(printed))


def after(dvc, clone, name, old, new):
    """Return the stages that an edit makes stale, and revert it."""
    clone.edit(name, old, new)
    found = stale(dvc, clone)
    clone.run("git", "checkout", "--quiet", "--", name)
    return found


def test_nothing_is_stale_after_a_run_nor_after_python_has_cached_its_modules(dvc, clone):
    assert stale(dvc, clone) == set()
    clone.run("python", "-m", "compileall", "-q", "cifar10", "stages")
    assert list(clone.root.glob("cifar10/training/__pycache__/*.pyc"))
    assert stale(dvc, clone) == set()


NOTHING = [  # edits that make no stage stale: all at once, since DVC names each stage that one does
    ("cifar10/paths.py", "# download\n", "# the download\n"),
    ("cifar10/errors.py", "run the same command again", "try again"),
    ("cifar10/progress.py", "{remaining} left", "{remaining} to go"),
    ("cifar10/app/server.py", "Ctrl-C ends it", "Ctrl-C stops it"),
    ("cifar10/cluster/driver.py", 'CONNECT = "5s"', 'CONNECT = "6s"'),
    ("cifar10/compare/formats.py", "LONGEST = 300", "LONGEST = 200"),
    ("cifar10/predict/cli.py", 'desc="reading"', 'desc="read"'),
    ("cifar10/stage_run.py", "LAST_LINES = 15", "LAST_LINES = 9"),
    ("scripts/repro.py", "timeout=0.5", "timeout=0.4"),
]


def test_what_no_stage_computes_with_makes_nothing_stale(dvc, clone):
    for name, old, new in NOTHING:
        clone.edit(name, old, new)
    found = stale(dvc, clone)
    clone.run("git", "checkout", "--quiet", "--", ".")
    assert found == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "stages"),
    [
        pytest.param(
            "cifar10/data/download.py",
            "No mirror is faster",
            "No mirror is quicker",
            {"download", "preprocess", "report"},
            id="message of the download",
        ),
        pytest.param("cifar10/report/plots.py", "WIDTH = 6.4", "WIDTH = 6.5", {"report"}, id="plot"),
        pytest.param(
            "cifar10/report/templates/report.html.jinja", "</body>", "<p>.</p></body>", {"report"}, id="words"
        ),
        pytest.param("cifar10/report/render.py", '"CIFAR-10"', '"CIFAR10"', {"report"}, id="name"),
        pytest.param(
            "cifar10/evaluation/ood_scores.py",
            "NEIGHBOUR = 10",
            "NEIGHBOUR = 9",
            {*EVALUATE, "report"},
            id="score",
        ),
    ],
)
def test_what_no_training_needs_trains_nothing(dvc, clone, name, old, new, stages):
    assert after(dvc, clone, name, old, new) == stages


INPUTS = [  # edits that train every model, and what DVC names: all at once, since it names each
    ("cifar10/training/losses.py", "1e-7, 1.0", "1e-6, 1.0", "cifar10/training"),
    ("cifar10/data/dataset.py", 'mmap_mode="r"', 'mmap_mode="c"', "cifar10/data/dataset.py"),
    ("cifar10/arithmetic.py", '"STRICT"', '"BF16"', "cifar10/arithmetic.py"),
    ("params.yaml", "batch_size: 32", "batch_size: 64", "train.batch_size in params.yaml"),
    ("versions.yaml", 'keras: "3', 'keras: "4', "keras in versions.yaml"),
]


def test_what_a_training_depends_on_trains_every_model(dvc, clone):
    for name, old, new, _ in INPUTS:
        clone.edit(name, old, new)
    code, printed = dvc.run(clone.root, "dvc", "status", "--json")
    clone.run("git", "checkout", "--quiet", "--", ".")
    found = flat(json.loads(printed))
    assert code == 0
    for stage in TRAIN:
        assert found[stage] == dict.fromkeys((named for *_, named in INPUTS), "modified")


@pytest.mark.parametrize("folder", ["training", "evaluation", "report", "data", "audit"])
def test_every_file_of_a_package_is_part_of_its_hash(clone, folder):
    path = f"cifar10/{folder}"
    stages = yaml.safe_load((clone.root / "dvc.lock").read_text())["stages"].values()
    counted = {each["nfiles"] for stage in stages for each in stage["deps"] if each["path"] == path}
    assert counted == {len(clone.run("git", "ls-files", path).splitlines())}


@pytest.mark.parametrize(
    ("seeds", "stages"),
    [
        ("[0]", {"report"}),
        ("[1, 0]", {"report"}),
        (
            "[0, 1, 5]",
            {"report", *(f"{stage}@{name}-5" for stage in ("train", "evaluate") for name in MODELS)},
        ),
    ],
    ids=["fewer", "another order", "one more"],
)
def test_a_seed_more_trains_that_seed_alone_and_a_seed_less_trains_nothing(dvc, clone, seeds, stages):
    assert after(dvc, clone, "params.yaml", "seeds: [0, 1]", f"seeds: {seeds}") == stages


def flat(status):
    """What `dvc status --json` prints, as `staleness.changes` gives it: by stage, name and state."""
    found = {}
    for stage, parts in status.items():
        found[stage] = {}
        for part in parts:
            (entries,) = part.values()
            for path, state in entries.items():
                keys = state if isinstance(state, dict) else {}
                found[stage] |= {f"{key} in {path}": of_key for key, of_key in keys.items()} or {path: state}
    return found


@pytest.fixture
def edited(clone):
    """The clone with an edit of each kind, which are taken back."""
    clone.edit_model("model_1", "learning_rate: 0.001", "learning_rate: 0.002")
    clone.edit("cifar10/report/plots.py", "WIDTH = 6.4", "WIDTH = 6.5")
    clone.edit("versions.yaml", 'h5py: "3', 'h5py: "4')
    model, scores = (
        clone.root / path for path in ("models/model_2/seed_1.h5", "reports/scores/model_0/seed_1.csv")
    )
    kept = {path: path.read_bytes() for path in (model, scores)}
    model.write_bytes(b"another")
    scores.unlink()
    yield clone
    clone.run("git", "reset", "--quiet", "--hard", "origin/HEAD")
    for path, content in kept.items():
        path.write_bytes(content)


def test_changes_are_those_of_dvc_status(dvc, edited):
    code, printed = dvc.run(edited.root, "dvc", "status", "--json")
    with staleness.repository(folder=edited.root) as repo:
        found = staleness.changes(repo)
        assert list(staleness.changes(repo, "train", "report")) == [*sorted(TRAIN), "report"]
    assert (code, found) == (0, flat(json.loads(printed)))
    assert found["train@model_2-1"] == {
        "h5py in versions.yaml": "modified",
        "models/model_2/seed_1.h5": "modified",
    }
    assert found["evaluate@model_0-1"]["reports/scores/model_0/seed_1.csv"] == "deleted"
    assert found["train@model_1-1"]["models.model_1 in params.yaml"] == "modified"


def test_changes_of_a_commit_are_those_of_what_git_has_of_it(edited):
    edited.commit()
    with staleness.repository("HEAD", edited.root) as repo:
        found = staleness.changes(repo, "train")
    with staleness.repository("HEAD~1", edited.root) as repo:
        before = staleness.changes(repo)
    data = {f"data/processed/{name}": "deleted" for name in ("classes.json", "train", "validation")}
    outputs = {"models/model_1/seed_1.h5": "deleted", "reports/histories/model_1/seed_1.csv": "deleted"}
    own = {"models.model_1 in params.yaml": "modified", "h5py in versions.yaml": "modified"}
    assert found["train@model_1-1"] == data | own | outputs
    assert {state for changes in before.values() for state in changes.values()} == {"deleted"}


def test_a_stage_without_a_record_says_so(dvc, edited):
    (edited.root / "dvc.lock").unlink()
    with staleness.repository(folder=edited.root) as repo:
        found = staleness.changes(repo)
    assert list(found.values()) == [{"dvc.lock": "new"}] * (3 + 2 * 2 * len(MODELS) + 1)
    assert set(found) == stale(dvc, edited)


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml", "params.yaml"])
def test_what_dvc_cannot_read_is_one_line(edited, name):
    (edited.root / name).write_text("a: [")
    with pytest.raises(UserError, match=name) as error, staleness.repository(folder=edited.root) as repo:
        staleness.changes(repo)
    assert "\n" not in str(error.value)


def test_outside_a_repository_it_says_so(tmp_path):
    with (
        pytest.raises(UserError, match="expected a git repository, found none"),
        staleness.repository(folder=tmp_path),
    ):
        pass
