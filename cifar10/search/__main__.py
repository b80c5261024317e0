"""Search for the hyper-parameters of a model with the highest validation accuracy, by Optuna.

Each trial is a DVC experiment. The same command resumes an interrupted search.
"""

import argparse
import statistics
import sys
from typing import TYPE_CHECKING

from cifar10 import commands, errors, params, paths, progress, staleness
from cifar10.errors import UserError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from cifar10.search.space import Space


def main() -> None:
    """Check the conditions, run the trials, print the best."""
    options = _parse()
    chosen = params.load()
    chosen.model(options.model)
    try:
        from cifar10.search import space, study  # imported here, so that --help is fast
    except ModuleNotFoundError as error:
        raise UserError(f"no module {error.name}: pip install -e '.[search]'") from None

    if chosen.data.validation_fraction == 0:
        raise UserError(
            f"{paths.PARAMS}: data.validation_fraction: got 0: a search needs validation images, because "
            "parameters must not be chosen on test images; 0.1 takes a tenth of the training images"
        )
    searched = space.read(options.set, options.model)
    name = options.name or f"search-{options.model}"
    conditions = study.conditions(searched, options.model, options.seed)
    with study.opened(paths.SEARCH, name, conditions) as trials:
        if staleness.stale("download", "preprocess"):
            commands.show(*commands.DVC, "repro", "preprocess")
        _run(trials, searched, options)
        print(_summary(study.finished(trials)))


def _run(trials: "Study", searched: "Space", options: argparse.Namespace) -> None:
    """Run trials until `options.trials` are finished."""
    from optuna.trial import TrialState

    from cifar10.search import experiment, study

    seeds = searched.parameters.train.seeds
    done = len(study.finished(trials))
    with progress.bar(total=options.trials, initial=done, desc="search", unit=" trials") as bar:

        def show(state: str) -> None:
            bar.set_postfix_str(state, refresh=sys.stderr.isatty())  # in a log, the bar has no such part

        while done < options.trials:
            trial = study.ask(trials, searched, options.seed)
            name = f"{trials.study_name}-{trial.number}"
            values = [*searched.fixed, *(f"{key}={value}" for key, value in trial.params.items())]
            try:
                experiment.run(name, options.model, seeds, values, show)
                accuracies = experiment.validation_accuracies(name, options.model, seeds)
            except UserError:
                trials.tell(trial, state=TrialState.FAIL)
                raise
            trial.set_user_attr(study.EXPERIMENT, name)
            trials.tell(trial, statistics.mean(accuracies))
            done = len(study.finished(trials))
            bar.update()
            progress.log(f"{done}/{options.trials} {name}: {_describe(study.finished(trials)[-1])}")


def _describe(trial: "FrozenTrial") -> str:
    values = ", ".join(f"{key}={_short(value)}" for key, value in trial.params.items())
    return f"validation accuracy {trial.value:.4f}, {values}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _summary(finished: "list[FrozenTrial]") -> str:
    best = max(finished, key=lambda trial: trial.value or 0)
    name = best.user_attrs["experiment"]
    return (
        f"Best of {len(finished)} trials: {name}: {_describe(best)}\n"
        "No test image was used. To keep these parameters and evaluate them once on the test images:\n"
        f"  dvc exp apply {name}\n  make repro"
    )


def _trials(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number of trials, 1 or more")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text!r}, expected an integer, 0 or more")
    return int(text)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cifar10.search", description=__doc__)
    parser.add_argument("--model", required=True, metavar="NAME", help="a model of params.yaml")
    parser.add_argument(
        "--trials", required=True, type=_trials, metavar="N", help="number of finished trials in total"
    )
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=RANGE",
        help="KEY=interval(0.1, 0.5), KEY=tag(log, interval(0.001, 0.1)), KEY=int(interval(1, 8)), "
        "KEY=range(1, 9, 2), KEY=choice(16, 32), or KEY=VALUE for all trials",
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="seed of Optuna's sampler (default: 0)"
    )
    parser.add_argument("--name", metavar="NAME", help="name of the study (default: search-MODEL)")
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
