"""The study: the trials of a search, in an SQLite file. An interrupted search resumes from it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import psutil
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from cifar10.errors import UserError
from cifar10.search.space import Space

CONDITIONS, EXPERIMENT, PROCESS = "conditions", "experiment", "process"  # attributes


def conditions(space: Space, model: str, seed: int) -> dict[str, Any]:
    """Return what must be equal in all trials of a study, as JSON values by name."""
    parameters = space.parameters.model_dump(mode="json")
    return {
        "--model": model,
        "--set": space.given,
        "--seed": seed,
        "data": parameters["data"],
        "train": parameters["train"],
        f"models.{model}": parameters["models"][model],
    }


@contextmanager
def opened(path: Path, name: str, wanted: Mapping[str, Any]) -> Iterator[optuna.Study]:
    """Open or create a study, to be maximized. Trials of an interrupted search are marked as failed.

    Raises:
        UserError: the file is no database, the study has other conditions, or another process runs it.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{path}", study_name=name, direction="maximize", load_if_exists=True
        )
        recorded = study.user_attrs.get(CONDITIONS)
        if recorded is None:
            study.set_user_attr(CONDITIONS, dict(wanted))
        changed = [key for key, value in wanted.items() if recorded and value != recorded.get(key)]
        if changed:
            raise UserError(
                f"study {name} in {path} was started with other values of {', '.join(changed)}: restore "
                "them, or start a new study with --name"
            )
        _close_interrupted(study)
        yield study
    except SQLAlchemyError as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path}: {reason}") from None


def _close_interrupted(study: optuna.Study) -> None:
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        if _runs(*trial.user_attrs.get(PROCESS, (0, 0))):
            process = trial.user_attrs[PROCESS][0]
            raise UserError(f"study {study.study_name}: trial {trial.number} runs in process {process}")
        study.tell(trial.number, state=TrialState.FAIL)


def _runs(process: int, started: float) -> bool:
    """Tell whether a process runs that was started at this time, in seconds since 1970."""
    try:
        return process != os.getpid() and psutil.Process(process).create_time() == started
    except psutil.Error:
        return False


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that have a value, in order."""
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])


def ask(study: optuna.Study, space: Space, seed: int) -> Trial:
    """Start a trial with the parameters that the sampler proposes.

    The sampler is new for each trial; its seed is made of `seed` and the number of finished trials. So the
    proposals depend on the finished trials alone, and an interrupted search proposes the same again.
    """
    generated = np.random.SeedSequence([seed, len(finished(study))]).generate_state(1)
    study.sampler = optuna.samplers.TPESampler(seed=int(generated[0]))
    trial = study.ask(space.ranges)
    trial.set_user_attr(PROCESS, [os.getpid(), psutil.Process().create_time()])
    return trial
