"""A scratch clone of this repository, where tests run a user's commands."""

import compileall
import gc
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

import psutil
import pytest
import yaml
from filelock import FileLock

import cifar10  # noqa: F401  before any test imports NumPy: it pins the arithmetic
from scripts import demo
from tests import recorder, warm
from tests.scheduling import pytest_xdist_make_scheduler, pytest_xdist_setupnodes  # noqa: F401  hooks

IN_MEMORY = Path("/dev/shm")  # a folder that Linux keeps in memory
GB = 1 << 30  # bytes
if (
    IN_MEMORY.is_dir()
    and shutil.disk_usage(IN_MEMORY).free > 4 * GB
    and psutil.virtual_memory().available > 8 * GB
):
    # The files of the tests take up to 0.4 GB at a time. They are made and deleted by the ten thousand, which
    # takes 40 s of a core on ext4 without a journal. pytest deletes the folder after a run without failures.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))
ENVIRONMENT = {
    # the stages of a clone share what Python compiles
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "GIT_AUTHOR_NAME": "tester",
    "GIT_AUTHOR_EMAIL": "tester@localhost",
    "GIT_COMMITTER_NAME": "tester",
    "GIT_COMMITTER_EMAIL": "tester@localhost",
}
COLD = {"PATH": ENVIRONMENT["PATH"]}  # for `Clone.run`: the programs start as a user starts them
LONGEST = [  # files that take more than 10 s, in an order that keeps all processes busy to the end
    "test_pipeline.py",  # the first makes the clone that others wait for
    "test_alone.py",
    "test_keras_options.py",  # it and the next three run while the first still makes it
    "test_bases.py",
    "test_recipe.py",
    "test_graph.py",
    "test_verify.py",
    "test_remotes.py",
    "test_branches.py",
    "test_tour.py",
    "test_api.py",  # with the other files of tests/scheduling.py
    "test_resume.py",
    "test_cluster.py",
    "test_repro.py",
    "test_compare.py",
    "test_docs.py",
    "test_search.py",
    "test_report.py",
    "test_arithmetic.py",
    "test_sharing.py",
    "test_public_remote.py",
    "test_wheel.py",
    "test_staleness.py",
    "test_loop.py",
]
DATA = ("download", "preprocess", "audit")  # stages
SLOW = {"programs", "remote", "scheduler"}  # fixtures; "programs" takes 15 s of a core to start
gc.disable()  # until all test files are imported: a search for garbage among modules finds none
if hasattr(
    signal, "SIGHUP"
):  # under nohup, which ignores it, commands that the tests start would ignore it as well
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
LINKED = re.compile(
    r"/\.git/(hooks|objects)/|/__pycache__/|/clone/(benchmarks|cifar10|docs|scripts|stages|tests)/"
)
SMALL_MODELS = Path(__file__).with_name("small_models.yaml")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)  # for the commands of the tests
SERVERS: list[warm.Server] = []  # the server of warm programs, once one runs
WARM = dict(COLD)  # the same programs, forked from a server that has imported their libraries, once one runs


def heed_ctrl_c():
    """Restore Ctrl-C, as `preexec_fn`: background jobs of a shell ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stages_in(printed):
    """List the stages that ran, from the output of `dvc repro`."""
    return re.findall(r"Running stage '([^']+)'", printed)


def digests(root, *patterns):
    """Return the SHA-256 of the matching files below `root`, by path."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in patterns
        for path in sorted(root.glob(pattern))
    }


def copy_or_link(source, target):
    """Copy a file, as `copy_function` of `shutil.copytree`; link what no command writes, which is faster.

    `Clone.edit` and git replace a file, and leave what it is in the other copies.
    """
    return (os.link if LINKED.search(source) else shutil.copy2)(source, target)


def times_of_linked(root):
    """Return when the files that copies of a clone share were written, by path; git alone writes its own."""
    files = (path for path in root.rglob("*") if LINKED.search(f"{path}") and path.is_file())
    return {path: path.stat().st_mtime_ns for path in files if ".git" not in path.parts}


def begin_history(clone):
    """Make what a clone's git has of one commit: DVC copies the history of a project for each experiment."""
    shutil.rmtree(clone.root / ".git")
    clone.run("git", "init", "--quiet", "--initial-branch", "main")
    clone.commit("Begin")
    clone.run("git", "gc", "--quiet")


def lend_environment(root):
    """Give a clone the environment of the tests as its .venv, so that `make` installs nothing there.

    Its programs are warm if those of `Clone.run` are, also after `source .venv/bin/activate` there.
    """
    real = Path(sys.executable).parents[1]
    (root / ".venv/bin").mkdir(parents=True)
    first = Path(WARM["PATH"].partition(os.pathsep)[0])  # where the warm programs are
    for program in (real / "bin").iterdir():
        found = first / program.name
        (root / ".venv/bin" / program.name).symlink_to(found if found.exists() else program)
    for name in ("lib", "pyvenv.cfg"):
        (root / ".venv" / name).symlink_to(real / name)
    activate = root / ".venv/bin/activate"
    activate.unlink()
    activate.write_text((real / "bin/activate").read_text().replace(str(real), "$PWD/.venv"))
    for done in ("run", "test", "app"):
        (root / f".venv/{done}.done").touch()


def pytest_collection_modifyitems(items):
    """Start with the slowest files; mark what uses warm programs, a trained clone or a server as slow."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
    for item in items:
        if SLOW.intersection(item.fixturenames):
            item.add_marker("slow")


def pytest_collection_finish():
    """Keep what the test files imported out of the garbage collector, which takes 0.4 s to go through it.

    The tests leave so much in memory that it looks for garbage less often than usual.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 50)
    gc.enable()


@dataclass
class Clone:
    """A clone, and methods to work in it."""

    root: Path

    def run(self, *command, expect=0, **environment):
        """Run a command and return the output of both streams; fail on an unexpected exit code.

        `python` and `dvc` are warm (tests/warm.py); with `**COLD` they start as usual.
        """
        complete = {**ENVIRONMENT, **WARM, **environment}
        code, printed = warm.run(SERVERS[0] if SERVERS else None, command, self.root, complete)
        assert code == expect, f"{command}: {code}\n{printed}"
        return printed

    def start(self, *command, **environment):
        """Start a command in its own process group; it accepts Ctrl-C and writes both streams to one pipe."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**ENVIRONMENT, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_ctrl_c,
            start_new_session=True,
        )

    def repro(self):
        """Run `dvc repro`; return the stages that it ran."""
        return stages_in(self.run("dvc", "repro"))

    def commit(self, message="Change"):
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def edit(self, name, old, new):
        """Replace a text that occurs once in a file."""
        path = self.root / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.unlink()  # it can be a link, see `copy_or_link`
        path.write_text(text.replace(old, new))

    def keep_models(self, *names):
        """Delete all other models from params.yaml."""
        path = self.root / "params.yaml"
        content = yaml.safe_load(path.read_text())
        content["models"] = {name: content["models"][name] for name in names}
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def keep_records(self, *stages):
        """Delete all other stages from dvc.lock: DVC reads and writes it anew for each stage that it runs."""
        path = self.root / "dvc.lock"
        head, *records = re.split(r"^(?=  \S)", path.read_text(), flags=re.MULTILINE)
        kept = [record for record in records if record.partition(":\n")[0].strip() in stages]
        assert len(kept) == len(stages)
        path.write_text("".join([head, *kept]))

    def edit_model(self, name, old, new):
        """Replace the first occurrence of a text in a model's entry of params.yaml."""
        path = self.root / "params.yaml"
        head, mark, tail = path.read_text().partition(f"\n  {name}:\n")
        assert old in tail, f"no {old!r} after {name}"
        path.write_text(f"{head}{mark}{tail.replace(old, new, 1)}")


@pytest.fixture(scope="session")
def shared(tmp_path_factory, worker_id):
    """The folder that all test processes share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="module")
def module_path(request, tmp_path_factory):
    """A folder for the tests of a file; it is deleted after them, since clones take up to 200 MB."""
    folder = tmp_path_factory.mktemp(request.path.stem)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)  # pytest deletes the rest


@pytest.fixture(scope="session")
def programs(shared, worker_id):
    """The server of warm programs; `Clone.run` uses it from now on."""
    with FileLock(shared / "warm.lock"):
        owner = os.getpid() if worker_id == "master" else os.getppid()
        server = warm.Server(shared / "warm", ENVIRONMENT, owner)
    WARM["PATH"] = server.environment["PATH"]
    SERVERS[:] = [server]
    return server


@pytest.fixture(scope="session")
def finished(shared, programs):
    """A clone after a user's `dvc repro` on the digits. Read-only: all tests share it.

    It trains networks of five layers for two epochs; tests/training builds and trains those of params.yaml.
    The first training and what it needs start cold, as a user starts them, and keep a record. Figures have
    50 dots per inch: tests/report draws them in full. The tag `one-seed` is the state after all models were
    trained with one seed; the second run adds a seed.
    """
    clone, ran = Clone(shared / "finished" / "clone"), shared / "finished" / "runs.json"
    with FileLock(shared / "finished.lock"):
        if not ran.exists():
            demo.clone(clone.root)
            begin_history(clone)
            clone.edit("params.yaml", "epochs: 10", "epochs: 2")
            clone.edit("params.yaml", "seeds: [0, 1, 2]", "seeds: [0]")
            clone.edit("params.yaml", "mirror: [model_3]", "mirror: []")
            clone.edit("cifar10/report/plots.py", "DOTS = 200", "DOTS = 50")
            params = clone.root / "params.yaml"
            head, _, _ = params.read_text().partition("\nmodels:\n")
            _, _, models = SMALL_MODELS.read_text().partition("\n")
            params.write_text(f"{head}\n{models}")
            clone.commit("Choose the digits")
            recorded = recorder.environment(clone.root.parent, ENVIRONMENT.get("PYTHONPATH"))
            first = stages_in(clone.run("dvc", "repro", "train@model_0-0", **COLD, **recorded))
            programs.wait()
            first += clone.repro()
            clone.commit("Run")
            clone.run("git", "tag", "one-seed")
            clone.edit("params.yaml", "seeds: [0]", "seeds: [0, 1]")
            runs = [first, clone.repro()]
            clone.commit("Add a seed")
            clone.run("git", "repack", "-d", "-q")  # a clone of one pack takes half the time
            ran.write_text(json.dumps(runs))
    programs.wait()
    clone.first_run, clone.second_run = json.loads(ran.read_text())
    return clone


@pytest.fixture(scope="session")
def dvc(programs):
    """The server, once it is ready: `dvc.run(FOLDER, "dvc", ...)` returns exit code and output."""
    programs.wait()
    return programs


@pytest.fixture(scope="session")
def clone_finished(finished, shared):
    """A function that copies the finished clone; the copies share its cache, which avoids new trainings."""
    first, ready = Clone(shared / "first" / "clone"), shared / "first" / "ready"
    with FileLock(shared / "first.lock"):
        if not ready.exists():
            subprocess.run(["git", "clone", "--quiet", finished.root, first.root], check=True)
            first.run("dvc", "cache", "dir", "--local", str(finished.root / ".dvc/cache"))
            first.run("dvc", "checkout", "--quiet")
            for folder in ("cifar10", "scripts", "stages"):  # the copies start with compiled code
                compileall.compile_dir(
                    first.root / folder, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH
                )
            ready.touch()

    def clone(target):
        shutil.copytree(first.root, target, symlinks=True, copy_function=copy_or_link)
        return Clone(target)

    written = times_of_linked(first.root)
    yield clone
    assert times_of_linked(first.root) == written, "a test wrote to a file that is a link"


@pytest.fixture
def workspace(clone_finished, tmp_path):
    """A copy of the finished clone that a test may change."""
    return clone_finished(tmp_path / "clone")


@pytest.fixture
def one_seed(workspace):
    """A copy of the finished clone with one seed, that a test may change."""
    workspace.run("git", "checkout", "--quiet", "-b", "fewer-seeds", "one-seed")
    workspace.run("dvc", "checkout", "--quiet")
    for path in workspace.root.rglob("seed_1.*"):
        path.unlink()
    return workspace
