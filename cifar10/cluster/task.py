"""One training on a worker.

The driver sends the code of this module and of the `cifar10` modules that it imports. They import only the
standard library, dask and tqdm. A worker needs git and this project's environment, but no checkout: it
clones the commit and trains with the code of that commit.
"""

import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distributed import get_worker

from cifar10 import commands, paths, stage_names
from cifar10.commands import DVC
from cifar10.stage_run import LAST_LINES, StageRun


@dataclass(frozen=True)
class TrainingJob:
    """One training, with the locations of its code, data and result."""

    model: str
    seed: int
    label: str  # readable name: the model, its seed and its overrides
    git_url: str  # URL or path to clone
    commit: str
    remote: str  # name of the DVC remote
    remote_url: str  # URL or absolute path
    topic: str = ""  # topic of the dask events that report the state to the driver
    parameters: str | None = None  # text of params.yaml; None for the file of the commit
    subfolder: str = ""  # of this project in the git repository
    measure: bool = False  # whether to evaluate the model on the test images, too


def run(job: TrainingJob) -> str:
    """Train and push to the DVC remote; return the evaluation file as text, "" if not measured.

    Raises:
        RuntimeError: a command failed; the first argument names it, the second is the end of its output.
    """
    worker = get_worker()

    def tell(state: str) -> None:
        state = state.removeprefix(f"{stage_names.label(job.model, job.seed)}: ")
        worker.log_event(job.topic, {"label": job.label, "worker": worker.address, "state": state})

    tell("prepares")
    # one clone per thread, kept for the next trainings, so that the images are fetched once
    root = Path(worker.local_directory) / f"cifar10-{job.commit[:12]}-{threading.get_ident()}"
    _prepare(job, root)
    clone = root / job.subfolder
    tell("trains")
    training = StageRun(stage_names.stage("train", job.model, job.seed), clone, tied=True)
    _check(training.run("--pull", hear=tell), f"dvc repro --single-item {training.stage}", training.lines)
    tell("pushes")
    _call(clone, *DVC, "push", "--run-cache", training.stage)
    if not job.measure:
        return ""
    tell("measures")
    evaluation = StageRun(stage_names.stage("evaluate", job.model, job.seed), clone, tied=True)
    _check(evaluation.run("--pull"), f"dvc repro --single-item {evaluation.stage}", evaluation.lines)
    return (clone / paths.evaluation(job.model, job.seed)).read_text(encoding="utf-8")


def _prepare(job: TrainingJob, root: Path) -> None:
    """Clone the commit if necessary, then reset the files and write `job.parameters`."""
    if "://" not in job.remote_url and not Path(job.remote_url).is_dir():
        raise RuntimeError(f"DVC remote {job.remote}: no folder {job.remote_url} on this machine", "")
    if not root.exists():
        beside = root.with_suffix(".tmp")
        shutil.rmtree(beside, ignore_errors=True)
        _call(root.parent, "git", "clone", "--quiet", "--no-checkout", job.git_url, str(beside))
        _call(beside, "git", "checkout", "--quiet", "--detach", job.commit)
        project = beside / job.subfolder
        _call(project, *DVC, "remote", "modify", "--local", job.remote, "url", job.remote_url)
        beside.rename(root)
    _call(root, "git", "reset", "--quiet", "--hard", job.commit)
    if job.parameters is not None:
        (root / job.subfolder / "params.yaml").write_text(job.parameters, encoding="utf-8", newline="\n")


def _call(folder: Path, *command: str) -> None:
    with commands.running(*command, folder=folder, tied=True) as process:
        lines = [line.rstrip() for line in process.stdout or ()]
    _check(process.returncode, " ".join(command).replace(" ".join(DVC), "dvc"), lines)


def _check(code: int, command: str, lines: Sequence[str]) -> None:
    if code:
        raise RuntimeError(f"`{command}` ended with exit code {code}", "\n".join(lines[-LAST_LINES:]))
