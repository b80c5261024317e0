"""What an edit makes stale, by what `dvc status` says of a clone where everything was made."""

import json
import subprocess

import pytest

from tests.conftest import Clone

MODELS = ["model_0", "model_1", "model_2"]
TRAIN = {f"train@{name}" for name in MODELS}
EVALUATE = {f"evaluate@{name}" for name in MODELS}


@pytest.fixture(scope="module")
def clone(finished, tmp_path_factory):
    """One copy for all tests, each of which takes its edit back."""
    copy = Clone(tmp_path_factory.mktemp("staleness") / "clone")
    subprocess.run(["git", "clone", "--quiet", finished.root, copy.root], check=True)
    copy.run("dvc", "cache", "dir", "--local", str(finished.root / ".dvc/cache"))
    copy.run("dvc", "checkout", "--quiet")
    return copy


def stale(dvc, clone):
    """Name the stages that DVC would run."""
    code, printed = dvc.run(clone.root, "dvc", "status", "--json")
    assert code == 0, printed
    return set(json.loads(printed))


def after(dvc, clone, name, old, new):
    """Name the stages that an edit makes stale, and take it back."""
    clone.edit(name, old, new)
    found = stale(dvc, clone)
    clone.run("git", "checkout", "--quiet", "--", name)
    return found


def test_nothing_is_stale_after_a_run_nor_after_python_has_cached_its_modules(dvc, clone):
    assert stale(dvc, clone) == set()
    clone.run("python", "-m", "compileall", "-q", "cifar10", "stages")
    assert list(clone.root.glob("cifar10/training/__pycache__/*.pyc"))
    assert stale(dvc, clone) == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "stages"),
    [
        pytest.param("cifar10/paths.py", "# download\n", "# the download\n", set(), id="comment"),
        pytest.param("cifar10/errors.py", "run the same command again", "try again", set(), id="message"),
        pytest.param("cifar10/progress.py", "{remaining} left", "{remaining} to go", set(), id="progress"),
        pytest.param(
            "cifar10/data/download.py",
            "No mirror is quicker",
            "No mirror is faster",
            {"download", "preprocess", "report"},
            id="message of the download",
        ),
        pytest.param("cifar10/report/plots.py", "WIDTH = 6.4", "WIDTH = 6.5", {"report"}, id="plot"),
        pytest.param(
            "cifar10/report/templates/report.html.jinja", "</body>", "<p>.</p></body>", {"report"}, id="words"
        ),
        pytest.param("cifar10/report/render.py", '"CIFAR-10"', '"CIFAR10"', {"report"}, id="name"),
        pytest.param("cifar10/app/server.py", "Ask the networks", "Ask", set(), id="app"),
        pytest.param("cifar10/cluster/head.py", 'CONNECT = "5s"', 'CONNECT = "6s"', set(), id="cluster"),
        pytest.param("cifar10/compare/page.py", "LONGEST = 300", "LONGEST = 200", set(), id="comparison"),
        pytest.param("cifar10/predict/cli.py", 'desc="reading"', 'desc="read"', set(), id="command"),
        pytest.param("scripts/repro.py", "LAST_LINES = 15", "LAST_LINES = 9", set(), id="script"),
        pytest.param(
            "cifar10/evaluation/ood.py", "NEIGHBOUR = 10", "NEIGHBOUR = 9", {*EVALUATE, "report"}, id="score"
        ),
    ],
)
def test_what_no_training_needs_trains_nothing(dvc, clone, name, old, new, stages):
    assert after(dvc, clone, name, old, new) == stages


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param("cifar10/training/loop.py", "1e-7, 1.0", "1e-6, 1.0", id="loss"),
        pytest.param("cifar10/training/dense.py", "inputs.shape.rank != 2", "True", id="layer"),
        pytest.param("cifar10/training/models.py", "Rescaling(1 / 255)", "Rescaling(1)", id="first layer"),
        pytest.param("cifar10/training/loop.py", ".permutation(images)", ".permutation(9)", id="order"),
        pytest.param("cifar10/training/optimizers.py", '"amsgrad"', '"nesterov"', id="optimizer"),
        pytest.param("cifar10/data/dataset.py", 'mmap_mode="r"', 'mmap_mode="c"', id="images"),
        pytest.param("cifar10/arithmetic.py", '"STRICT"', '"BF16"', id="arithmetic"),
        pytest.param("params.yaml", "batch_size: 32", "batch_size: 64", id="parameter"),
        pytest.param("versions.yaml", 'keras: "3', 'keras: "4', id="library"),
    ],
)
def test_what_a_training_depends_on_trains_every_model(dvc, clone, name, old, new):
    assert after(dvc, clone, name, old, new) >= TRAIN
